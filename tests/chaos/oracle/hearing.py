"""Whose audio a stream carried, byte by byte: by the marks, then against the call itself."""

from collections.abc import Mapping

import numpy as np

from tests.chaos.calls import Call
from tests.chaos.oracle.facts import Piece
from tests.chaos.sound.mark import BLOCK, Samples, read

_STRANGE_FRAMES = 8 * BLOCK
"""So much is skipped at a time where no mark can be read."""


def pieces(audio: bytes, calls: Mapping[int, Call]) -> list[Piece]:
    """The stretches of calls that a stream's audio is made of; one, if all is well."""
    samples: Samples = np.frombuffer(audio[: len(audio) // 2 * 2], "<i2")
    found: list[Piece] = []
    at = 0
    while at < len(samples):
        piece = _piece(samples[at:], calls)
        at += piece.end - piece.start
        found.append(piece)
    if len(audio) % 2:
        found.append(Piece(None, 0, 1))
    return found


def _piece(samples: Samples, calls: Mapping[int, Call]) -> Piece:
    place = read(samples[: 4 * BLOCK])
    call = calls.get(place.call) if place else None
    if place is None or call is None or not 0 <= place.frame < call.frames:
        return Piece(None, 0, min(_STRANGE_FRAMES, len(samples)))
    expected = np.frombuffer(call.audio(place.frame, place.frame + len(samples)), "<i2")
    same = samples[: len(expected)] == expected
    good = len(expected) if same.all() else int(np.argmin(same))
    if good == 0:
        return Piece(None, 0, min(_STRANGE_FRAMES, len(samples)))
    return Piece(call.number, place.frame, place.frame + good)
