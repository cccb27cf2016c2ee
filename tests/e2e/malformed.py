"""Records that nobody can use, of every kind that docs/contract.md names, made up by chance."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from consumer.demo.wav import riff
from tests.adapters.names import StrangeName
from tests.e2e.feeder import Headers

_TYPE = "content-type"


@dataclass(frozen=True, slots=True)
class Junk:
    """A record, and the reason for which it must be refused."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    reason: str


def junk(chance: Random, calls: Sequence[str]) -> Junk:
    """The next one. calls: keys of good calls, which half of the keyed ones pretend to be."""
    key = chance.choice(calls).encode() if chance.random() < 0.5 else _fresh(chance)
    made = chance.choice(_KINDS)(chance, key)
    return Junk(made.key, made.value, [*made.headers, *_foreign(chance)], made.reason)


def _no_key(chance: Random, _: bytes) -> Junk:
    value = chance.choice((None, chance.randbytes(chance.randrange(500))))
    return Junk(None, value, (), "no-key")


def _bad_key(chance: Random, _: bytes) -> Junk:
    long = b"k" * chance.randint(257, 400)
    key = chance.choice((b"", long, b"\xff" + chance.randbytes(8), b"caf\xe9"))
    return Junk(key, chance.randbytes(40), (), "bad-key")


def _bad_header(chance: Random, key: bytes) -> Junk:
    header = chance.choice(
        (
            ("sequence", str(2**63).encode()),
            ("sequence", b"9" * 400),
            ("Sequence", b"-1"),
            ("sequence", b"1e3"),
            ("captured-at", b"yesterday"),
            ("sample-rate", b"16 kHz"),
            ("channels", "\u0662".encode()),
            ("encoding", b"\xff" + chance.randbytes(20)),
            ("tenant", b"t" * 129),
        )
    )
    return Junk(key, chance.randbytes(chance.randrange(700)), [header], "bad-header")


def _flood(chance: Random, key: bytes) -> Junk:
    headers = [(f"meta-{number}", b"1") for number in range(65)]
    return Junk(key, chance.randbytes(99), headers, "bad-header")


def _bad_meta(chance: Random, key: bytes) -> Junk:
    headers = chance.choice(
        (
            [(f"meta-{number}", b"1") for number in range(33)],
            [("meta-x", b"\x07")],
            [("meta-x", b"v" * 513)],
            [("META-" + "n" * 65, b"v")],
        )
    )
    return Junk(key, chance.randbytes(99), headers, "bad-meta")


def _bad_format(chance: Random, key: bytes) -> Junk:
    headers = chance.choice(
        (
            [("sample-rate", b"0")],
            [("sample-rate", b"384001")],
            [("channels", b"0")],
            [("channels", b"65")],
            [("channels", b"2"), ("channel", b"2")],
        )
    )
    return Junk(key, chance.randbytes(64), headers, "bad-format")


def _unknown(chance: Random, key: bytes) -> Junk:
    name, value = chance.choice(
        (
            *((_TYPE, b"video/mp4"), (_TYPE, b"text/plain; charset=utf-8")),
            *(("event", b"pause"), ("encoding", b"opus"), ("level", b"word")),
        )
    )
    return Junk(key, chance.randbytes(64), [(name, value)], f"unknown-{name}")


def _bad_json(chance: Random, key: bytes) -> Junk:
    whole = json.dumps({"audio": "AAAA", "sequence": 2**63}).encode()
    value = chance.choice(
        (
            chance.randbytes(chance.randrange(300)),
            *(b"", b"{}", b"null", b"[]", b"{" * 5_000, b'{"audio": "not base64!"}'),
            *(b'{"audio": 5}', b'{"audio": "AAAA", "channels": "two"}', whole, whole[:-3]),
        )
    )
    return Junk(key, value, [(_TYPE, b"application/json")], "bad-json")


def _bad_protobuf(chance: Random, key: bytes) -> Junk:
    # Wire type 7 doesn't exist, so no random tail can make this a message.
    value = b"\x0f" + chance.randbytes(chance.randrange(300))
    return Junk(key, value, [(_TYPE, b"application/x-protobuf")], "bad-protobuf")


def _bad_audio(chance: Random, _: bytes) -> Junk:
    """Only the first bytes of a session are looked at for what they are, so the key is new."""
    wide = bytearray(riff(chance.randbytes(480), 16_000))
    wide[34:36] = (24).to_bytes(2, "little")  # bits per sample
    value = chance.choice(
        (
            bytes(wide),
            *(magic + chance.randbytes(60) for magic in (b"OggS", b"fLaC", b"RF64", b"FORM")),
        )
    )
    return Junk(_fresh(chance), value, (), "bad-audio")


_KINDS: Sequence[Callable[[Random, bytes], Junk]] = (
    *(_no_key, _bad_key, _bad_header, _flood, _bad_meta, _bad_format, _unknown, _bad_json),
    *(_bad_protobuf, _bad_audio),
)


def _fresh(chance: Random) -> bytes:
    return f"junk-{chance.getrandbits(64):x}".encode()


def _foreign(chance: Random) -> Headers:
    """Headers that mean nothing to the service, and must be kept as they are all the same."""
    names = ("trace", "x-\u00fc", "trace", "ce_id", "", "dlq", StrangeName(b"caf\xe9\xff"))
    return [
        (chance.choice(names), chance.randbytes(chance.randrange(30)))
        for _ in range(chance.randrange(4))
    ]
