"""Runs one broker of Apache Kafka in the foreground: `python -m tests.kafka.serve [COMMAND...]`.

Without a command it runs until Ctrl-C. With one it runs for as long as the command does, with
`{bootstrap}` in the command replaced by the broker's address, and ends with its exit code.
It begins with nothing in it, and its data stays in .cache until it begins anew.
"""

import argparse
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

from tests.kafka.cluster import cluster
from tests.kafka.install import CACHE, KafkaMissing
from tests.kafka.node import NodeFailed
from tests.kafka.properties import HOST


class Terminated(Exception):
    """We were asked to end."""


def main(arguments: Sequence[str]) -> int:
    """Serve; the exit code."""
    wish = _parser().parse_args(arguments)
    with socket.socket() as probe:
        if probe.connect_ex((HOST, wish.port)) == 0:
            sys.stderr.write(f"Port {wish.port} is taken; set PORT to another.\n")
            return 2
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return _serve(wish.port, wish.command)
    except (KafkaMissing, NodeFailed) as error:
        sys.stderr.write(f"There is no Kafka: {error}\n")
        return 2
    except (KeyboardInterrupt, Terminated):
        _say("Stopped.")
        return 130 if wish.command else 0


def _serve(port: int, command: Sequence[str]) -> int:
    folder = CACHE / f"serve-{port}"
    shutil.rmtree(folder, ignore_errors=True)
    _say("Apache Kafka starts; the first time Maven fetches it.")
    with cluster(folder, port=port) as kafka:
        _say(f"bootstrap servers: {kafka.bootstrap}")
        if command:
            return _beside([part.replace("{bootstrap}", kafka.bootstrap) for part in command])
        kafka.node(1).wait_ended()
        raise NodeFailed(f"it has ended:\n{kafka.node(1).last_words()}")


def _beside(command: Sequence[str]) -> int:
    """Run a command; Ctrl-C is its own affair, and what it does then is waited for."""
    with subprocess.Popen(command) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            return process.wait()
        except Terminated:
            process.terminate()
            raise


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tests.kafka.serve")
    parser.add_argument("--port", type=int, default=9092, help="for clients; 9092")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what to run beside it")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
