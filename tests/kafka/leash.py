"""Runs a command that must not outlive whoever started it: `python leash.py COMMAND...`.

Its standard input is a pipe that its starter holds. However the starter ends, even by SIGKILL, the
pipe closes, and then the command is killed. A script of its own, so it imports nothing of ours.
"""

import signal
import subprocess
import sys
import threading
from types import FrameType


def main() -> int:
    """Run until the command ends; its exit code. SIGTERM is passed on."""
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)

    def pass_on(number: int, _: FrameType | None) -> None:
        child.send_signal(number)

    def kill_when_let_go() -> None:
        sys.stdin.buffer.read()
        child.kill()

    signal.signal(signal.SIGTERM, pass_on)
    threading.Thread(target=kill_when_let_go, daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    sys.exit(main())
