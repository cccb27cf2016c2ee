"""The command `sandbox`: the detection API on this machine.

Its packages are an extra; the list of commands says so when they are missing.
"""

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from consumer.errors import ConfigurationError
from consumer.sandbox.errors import Misused
from consumer.sandbox.faults import parse_rule
from consumer.sandbox.options import Address, SandboxOptions, parse_address
from consumer.sandbox.rules import Credentials
from consumer.sandbox.server import Sandbox, serve

TOKEN_VARIABLE = "SANDBOX_TOKEN"  # noqa: S105 - the name of a variable, not a token


_Listen = Annotated[
    str, typer.Option(metavar="HOST:PORT", help="Where to serve gRPC; port 0 takes a free one.")
]
_RestListen = Annotated[
    str,
    typer.Option(
        metavar="HOST:PORT",
        help="Where to serve REST: health, login, audit, faults. `off` for no REST.",
    ),
]
_Cid = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="The only project number to accept. Default: any."),
]
_Token = Annotated[
    str | None,
    typer.Option(
        metavar="TOKEN",
        help="The only API token to accept; others on this machine can see it in the list of "
        f"processes, so rather use `--token-file` or {TOKEN_VARIABLE}. Default: any.",
    ),
]
_TokenFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Read the token from this file.")
]
_Fault = Annotated[
    list[str] | None,
    typer.Option(metavar="RULE", help="What shall go wrong, see below; may be given again."),
]
_FaultSeed = Annotated[int, typer.Option(metavar="N", help="Seed for faults with a probability.")]
_Audit = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Append JSON lines: one when a stream has sent its config, one when it has ended.",
    ),
]
_AuditAudio = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Keep the audio of every stream here, as PID.pcm, raw 16 bit."
    ),
]
_Scorer = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="`scripted` makes verdicts up from a hash of the audio, `scripted:bonafide` and "
        "`scripted:spoofed` always say so; `package.module:factory` plugs a detector in.",
    ),
]
_Grace = Annotated[
    float,
    typer.Option(metavar="SECONDS", min=0, help="How long open streams may go on at the end."),
]


def sandbox(
    *,
    listen: _Listen = "127.0.0.1:50051",
    rest_listen: _RestListen = "127.0.0.1:50052",
    cid: _Cid = None,
    token: _Token = None,
    token_file: _TokenFile = None,
    fault: _Fault = None,
    fault_seed: _FaultSeed = 0,
    audit: _Audit = None,
    audit_audio: _AuditAudio = None,
    scorer: _Scorer = "scripted",
    grace: _Grace = 2.0,
) -> None:
    """Serve the detection API on this machine, without any account.

    A gRPC server for `behavioral_api.grpc.v1.BehavioralStreamingApi`, method DeepfakeDetection,
    with the rules of the real one: the config first, credentials in every message, results only
    where somebody speaks, for segments of two seconds and for utterances. StreamAudio is not
    implemented. It says on a line of its own when each listener is ready, and ends on SIGTERM or
    Ctrl-C.

    **It is no detector.** Speech is found by a real model, but unless you plug a scorer in, the
    verdicts are scripted: made up, the same ones for the same audio.

    **Faults** make it fail on demand. A rule is made of `name=value`, parted by semicolons: what
    happens (`unavailable-after=2.5` or any other gRPC status, `ok-after`, `cut-after`,
    `stop-reading-after`, all in seconds of audio; `delay-results=1.5`; `max-streams=10`) and to
    whom (`stream=0`, `cid=7`, `session=call-1`, `rate=8000`, `probability=0.1`; else to all).
    The same rules can be sent in the request header `x-sandbox-fault`, and changed at run time:
    POST them to `/sandbox/faults` as {"fault": "RULE"}, DELETE to take them back.

    **Examples**

    A sandbox for one project:

        detection-consumer sandbox --cid 7 --token-file token

    Break one stream in ten after five seconds of audio:

        detection-consumer sandbox --fault "unavailable-after=5;probability=0.1"

    Keep evidence of what every stream received:

        detection-consumer sandbox --audit streams.jsonl --audit-audio streams/

    Refuse all credentials for a while, then accept them again:

        curl -d '{"fault": "unauthenticated-after=0"}' 127.0.0.1:50052/sandbox/faults
        curl -X DELETE 127.0.0.1:50052/sandbox/faults
    """
    try:
        options = SandboxOptions(
            listen=_address("--listen", listen),
            rest_listen=None if rest_listen == "off" else _address("--rest-listen", rest_listen),
            credentials=Credentials(cid, _token(token, token_file)),
            scorer=scorer,
            faults=tuple(parse_rule(rule) for rule in fault or ()),
            fault_seed=fault_seed,
            audit=audit,
            audit_audio=audit_audio,
            grace=grace,
        )
        asyncio.run(_run(options))
    except Misused as error:
        raise ConfigurationError(str(error)) from error


async def _run(options: SandboxOptions) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(options, _announce, stop)


def _announce(running: Sandbox) -> None:
    typer.echo(f"sandbox: scorer {running.scorer}")
    if running.rest:
        typer.echo(f"sandbox: REST on {running.rest}")
    typer.echo(f"sandbox: gRPC on {running.grpc}")


def _address(flag: str, text: str) -> Address:
    try:
        return parse_address(text)
    except Misused as error:
        raise Misused(f"{flag} {error}") from error


def _token(token: str | None, file: Path | None) -> str | None:
    if token is not None and file:
        raise Misused("give --token or --token-file, not both")
    if file:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Misused(f"--token-file can't be read: {error}") from error
    if token is None:
        token = os.environ.get(TOKEN_VARIABLE)
    if token == "":
        raise Misused("the token is empty")
    return token
