"""One broker in the foreground, as `make kafka` and `make demo KAFKA=apache` run it."""

import signal
import subprocess
import sys
import time

import pytest

from tests.adapters.broker import answers
from tests.kafka.cluster import Cluster, free_ports
from tests.kafka.test_cluster import ROOT

pytestmark = pytest.mark.kafka

SERVE = (sys.executable, "-m", "tests.kafka.serve", "--port")


def own_port() -> int:
    """Not one of those that systems hand out: somebody else may have such a port a moment later."""
    [port] = free_ports(1)
    return port


def gone(port: int) -> bool:
    """Soon nobody listens there: whoever was killed takes a moment to let go of its ports."""
    deadline = time.monotonic() + 10.0
    while answers(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_runs_beside_a_command(apache_kafka: Cluster) -> None:
    """A command is told the address, its exit code is passed on, and then the broker is gone."""
    assert apache_kafka.node(1).running  # so that Kafka is installed
    port = own_port()
    told = "import socket, sys; socket.create_connection(sys.argv[1].split(':')); sys.exit(3)"
    command = [*SERVE, str(port), sys.executable, "-c", told, "{bootstrap}"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 3, done.stderr
    assert f"bootstrap servers: 127.0.0.1:{port}" in done.stdout
    assert gone(port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_runs_until_it_is_stopped(apache_kafka: Cluster, number: signal.Signals) -> None:
    """Without a command it runs until Ctrl-C or SIGTERM, which end it well."""
    assert apache_kafka.node(1).running  # so that Kafka is installed
    port = own_port()
    command = [*SERVE, str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("bootstrap"):
                break
        assert answers(port)
        process.send_signal(number)
        assert process.stdout.read() == "Stopped.\n"
    assert process.returncode == 0
    assert gone(port)


def test_taken_port_is_told(apache_kafka: Cluster) -> None:
    """A port that somebody has is refused with the way out."""
    port = str(apache_kafka.node(1).place.port)
    done = subprocess.run(
        [*SERVE, port], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (2, f"Port {port} is taken; set PORT to another.\n")
