"""What goes out: the tape's audio on one stream at a time, cut where a stream has to end."""

from consumer.core.coalesce import message_frames
from consumer.core.events import Action, Cancel, HalfClose, OpenStream, SendAudio
from consumer.core.intake import Intake
from consumer.core.judgement import Judgement
from consumer.core.policy import SessionPolicy
from consumer.core.stream import LiveStream
from consumer.errors import LocalProtocolError
from consumer.model import BYTES_PER_FRAME, Frames, StreamNumber


class Outflow:
    """stream: the one that is open, if any. opened: how many there were."""

    def __init__(self, policy: SessionPolicy, intake: Intake, judgement: Judgement) -> None:
        self.stream: LiveStream | None = None
        self.opened = 0
        self.intake = intake
        self.judgement = judgement
        self._policy = policy
        self._waiting_since = 0.0
        self._full_since: float | None = None

    @property
    def live(self) -> LiveStream:
        """The open stream. Raises LocalProtocolError when there is none."""
        if self.stream is None:
            raise LocalProtocolError("no stream is open")
        return self.stream

    @property
    def position(self) -> Frames:
        """The call frame up to which audio was handed to a stream, or needs none."""
        return self.judgement.judged if self.stream is None else self.stream.sent

    def arriving(self, now: float) -> None:
        """Audio is about to be added to the tape."""
        if not self.waiting:
            self._waiting_since = now

    def backlog(self, now: float) -> int:
        """Bytes in memory that the stream has yet to take, 0 when it takes nothing."""
        waiting = self.waiting
        stream = self.stream
        if not waiting or (
            stream is not None
            and stream.sent > stream.taken
            and now >= stream.taken_at + self._policy.stream.stall_grace
        ):
            return 0
        return min(waiting * BYTES_PER_FRAME, self.intake.tape.held)

    def full(self, now: float) -> bool:
        """More waits than the stream should be given to catch up with: read no more for it.

        For a moment only: a stream that is slow for longer must not hold other sessions back, so
        what comes then is forgotten and read again.
        """
        held, waiting = self._policy.memory.held, self.backlog(now)
        if waiting * 8 < held:
            self._full_since = None
        elif self._full_since is None and waiting * 4 >= held:
            self._full_since = now
        since = self._full_since
        return since is not None and now < since + self._policy.stream.stall_grace

    @property
    def waiting(self) -> int:
        """Frames that were not handed to a stream yet and need one."""
        stream = self.stream
        return self.intake.tape.end - (self.judgement.judged if stream is None else stream.sent)

    def open(self, now: float, out: list[Action]) -> None:
        """Open the next stream, at the first frame that is not judged."""
        base = self.judgement.judged
        config = self.intake.timeline.config_at(base)
        self.intake.prune()
        clock = self.judgement.clock(config, base, self._policy.stream.overlap_tolerance)
        number = StreamNumber(self.opened)
        self.opened += 1
        self.stream = LiveStream(number, config, base, clock, now)
        out.append(OpenStream(number, config))

    def cancel(self, out: list[Action]) -> None:
        """Give the open stream up, if there is one."""
        if self.stream is not None:
            out.append(Cancel(self.stream.number))
            self.stream = None

    def stalled(self, now: float) -> bool:
        """The stream has taken no audio for too long."""
        at = self.live.stalled_at(self._policy.stream)
        return at is not None and now >= at

    def overdue(self, now: float) -> bool:
        """The OK has not come in time after the half-close."""
        return now >= self.live.closing_since + self._policy.stream.close_timeout

    def cut(self, now: float) -> None:
        """Let the stream end at the next whole second of the call."""
        stream = self.live
        if stream.cut is None:
            stream.cut = self.intake.timeline.whole_second(stream.sent)
            stream.cut_until = now + self._policy.stream.cut_patience

    def cut_if_near_limit(self, now: float) -> None:
        """An utterance has ended: a good place to roll over when the API's limit is near."""
        if self.live.may_roll(self._policy.stream, now):
            self.cut(now)

    def advance(self, now: float, out: list[Action], *, finish: bool) -> bool:
        """Send what may be sent; returns whether the stream was half-closed.

        finish: no audio will follow what is on the tape.
        """
        stream = self.live
        if stream.cut is None:
            rolls = stream.roll_at(self.judgement.judged, self._policy.stream)
            if rolls is not None and now >= rolls:
                self.cut(now)
        end, final = self._border(stream, finish=finish)
        self._send(stream, end, now, out, flush=final)
        late = stream.cut is not None and now >= stream.cut_until
        if not late and not (final and stream.sent == end):
            return False
        stream.closing_since = now
        out.append(HalfClose(stream.number))
        return True

    def deadlines(self, *, closing: bool) -> list[float | None]:
        """When the open stream needs to be looked at again."""
        stream, policy = self.stream, self._policy.stream
        if stream is None:
            return []
        if closing:
            return [stream.closing_since + policy.close_timeout]
        if stream.cut is not None:
            times: list[float | None] = [stream.cut_until]
        else:
            times = [stream.roll_at(self.judgement.judged, policy)]
        if self._full_since is not None:
            times.append(self._full_since + policy.stall_grace)
        if stream.sent > stream.taken:
            times += (stream.taken_at + policy.stall_timeout, stream.taken_at + policy.stall_grace)
        if stream.sent < self.intake.tape.end and self._has_room(stream):
            times.append(self._waiting_since + self._policy.coalesce.linger)
        return times

    def _border(self, stream: LiveStream, *, finish: bool) -> tuple[int, bool]:
        """The frame up to which there is audio for this stream, and whether it ends there."""
        end: int = self.intake.tape.end
        change = self.intake.timeline.change_after(stream.base)
        for border in (change, stream.cut):
            if border is not None and border <= end:
                end, finish = border, True
        return end, finish

    def _send(
        self, stream: LiveStream, end: int, now: float, out: list[Action], *, flush: bool
    ) -> None:
        policy, rate, tape = self._policy.coalesce, stream.config.sample_rate, self.intake.tape
        while stream.sent < end and self._has_room(stream):
            due = flush or now >= self._waiting_since + policy.linger
            frames = message_frames(end - stream.sent, rate, policy, flush=due)
            if not frames:
                return
            until = tape.held_until(stream.sent, stream.sent + frames)
            if until == stream.sent:
                self.intake.fetch(stream.sent, out)
                return
            out.append(SendAudio(stream.number, tape.read(stream.sent, until)))
            stream.handed_over(until - stream.sent, now)
            self._waiting_since = now

    def _has_room(self, stream: LiveStream) -> bool:
        window = int(self._policy.coalesce.in_flight * stream.config.sample_rate) or 1
        return stream.sent - stream.taken < window
