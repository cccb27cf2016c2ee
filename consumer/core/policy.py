"""Frozen numbers, each with its unit and its reason, and the small decisions they imply."""

import zlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPolicy:
    """How long a stream may live and how long it may keep us waiting. All in seconds.

    horizon: speech longer than this is cut, because audio this old without a result makes the
    stream roll over. limit: the API's longest stream, 0 when it has none. close_timeout: from our
    half-close to its OK. stall_timeout: for one message to be taken. stall_grace: after this long
    without a message taken, the session's audio no longer holds its partition back.
    cut_patience: how long a roll-over waits for audio up to the next whole second of the call.
    settle_hold: at level `all` the closing segment may follow its utterance this late.
    overlap_tolerance: a result may start this much before the last published end, since times
    come with two decimals.
    """

    horizon: float = 60.0
    limit: float = 0.0
    close_timeout: float = 30.0
    stall_timeout: float = 30.0
    stall_grace: float = 2.0
    cut_patience: float = 1.5
    settle_hold: float = 1.0
    overlap_tolerance: float = 0.01

    def __post_init__(self) -> None:
        if self.horizon <= 0 or self.close_timeout <= 0 or self.stall_timeout <= 0:
            raise ValueError("horizon, close_timeout and stall_timeout must be above 0 s")
        if self.limit < 0:
            raise ValueError("limit must be 0 (none) or above")


@dataclass(frozen=True, slots=True, kw_only=True)
class CoalescePolicy:
    """How audio is cut into messages; the API advises 100 to 500 ms. All in seconds.

    target: join small chunks up to this. behind: join up to this when more than it waits.
    linger: send what there is when its oldest part has waited this long. in_flight: audio handed
    to a stream and not yet taken by it.
    """

    target: float = 0.25
    behind: float = 0.5
    linger: float = 0.3
    in_flight: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.target <= self.behind <= self.in_flight:
            raise ValueError("0 < target <= behind <= in_flight must hold")
        if self.linger < 0:
            raise ValueError("linger must not be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPolicy:
    """How many bytes of decoded audio a session may hold.

    held: above it the oldest sent audio is forgotten, then whatever arrives; forgotten audio is
    read from Kafka again when it is needed. Its partition waits from a quarter of it on. fetch:
    how much is asked for at once. tight_share: the part of `held` that is left while the process
    is above its own mark.
    """

    held: int = 2 << 20
    fetch: int = 1 << 19
    tight_share: float = 0.25

    def __post_init__(self) -> None:
        if self.held < 1 or self.fetch < 1:
            raise ValueError("held and fetch must be at least 1 byte")
        if not 0 < self.tight_share <= 1:
            raise ValueError("tight_share must be within (0, 1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackoffPolicy:
    """Pauses between attempts, in seconds: initial * factor^n up to maximum, minus jitter.

    jitter: the part of the pause that is spread by a hash of key and attempt, so that many
    sessions don't come back at the same instant and a test can still foresee the pause.
    """

    initial: float = 0.2
    factor: float = 2.0
    maximum: float = 30.0
    jitter: float = 0.5

    def __post_init__(self) -> None:
        if self.initial <= 0 or self.factor < 1 or self.maximum < self.initial:
            raise ValueError("0 < initial <= maximum and factor >= 1 must hold")
        if not 0 <= self.jitter < 1:
            raise ValueError("jitter must be within [0, 1)")

    def pause(self, key: str, attempt: int) -> float:
        """Seconds to wait before 1-based `attempt` of `key`."""
        full = min(self.maximum, self.initial * self.factor ** min(attempt - 1, 64))
        spread = zlib.crc32(f"{key}/{attempt}".encode()) / 0xFFFFFFFF
        return full * (1.0 - self.jitter * spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When to stop trying.

    attempts: streams that may break by the fault of the audio, without progress between them,
    before the session is poisoned. alive: seconds after which a stream counts as working even
    without a result (silent callers get none). stuck: seconds without settling anything, while
    the API works, before the session is poisoned.
    """

    attempts: int = 3
    alive: float = 30.0
    stuck: float = 900.0
    backoff: BackoffPolicy = field(default_factory=BackoffPolicy)

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.alive <= 0 or self.stuck <= 0:
            raise ValueError("attempts must be at least 1; alive and stuck above 0 s")


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencePolicy:
    """What sequence numbers mean.

    window: how many numbers back a repeat is recognised. fill: put silence in for missing
    chunks. fill_limit: at most this many seconds for one gap.
    """

    window: int = 1024
    fill: bool = False
    fill_limit: float = 5.0

    def __post_init__(self) -> None:
        if self.window < 1 or self.fill_limit < 0:
            raise ValueError("window must be at least 1 and fill_limit not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """Everything one session needs to decide."""

    stream: StreamPolicy = field(default_factory=StreamPolicy)
    coalesce: CoalescePolicy = field(default_factory=CoalescePolicy)
    memory: MemoryPolicy = field(default_factory=MemoryPolicy)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    sequence: SequencePolicy = field(default_factory=SequencePolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When the API as a whole counts as broken.

    sessions: distinct sessions that must fail without one working in between (fewer are enough
    when fewer are live). poisoned: sessions that may be poisoned within `window` seconds before
    it counts as the API's fault; poisoned_share: the same as a part of the live sessions.
    """

    sessions: int = 3
    poisoned: int = 5
    poisoned_share: float = 0.05
    window: float = 60.0
    backoff: BackoffPolicy = field(default_factory=lambda: BackoffPolicy(initial=1.0))

    def __post_init__(self) -> None:
        if self.sessions < 1 or self.poisoned < 0 or self.window <= 0:
            raise ValueError("sessions >= 1, poisoned >= 0 and window > 0 s must hold")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdlePolicy:
    """timeout: seconds without a record after which a session ends."""

    timeout: float = 60.0

    def __post_init__(self) -> None:
        if self.timeout <= 0:
            raise ValueError("timeout must be above 0 s")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPolicy:
    """Marks above which a partition is left out of the next fetch, and below which it returns.

    Bytes count audio that no stream has taken yet and records waiting to be published.
    unsettled: records of one partition that may wait for their results.
    dead_letters: unusable records in a row, with no good one between, that stop a partition.
    """

    partition_high: int = 8 << 20
    partition_low: int = 4 << 20
    process_high: int = 256 << 20
    process_low: int = 128 << 20
    unsettled: int = 1_000_000
    dead_letters: int = 10_000

    def __post_init__(self) -> None:
        if not 0 < self.partition_low <= self.partition_high:
            raise ValueError("0 < partition_low <= partition_high must hold")
        if not 0 < self.process_low <= self.process_high:
            raise ValueError("0 < process_low <= process_high must hold")
        if self.unsettled < 1 or self.dead_letters < 1:
            raise ValueError("unsettled and dead_letters must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitPolicy:
    """interval: seconds between commits. poll: seconds a poll may wait while a partition is
    held back or being taken over.

    revoke: seconds that giving partitions back may take in all. shutdown: seconds that stopping
    may take in all. drain: on shutdown let every stream reach its OK first.
    """

    interval: float = 1.0
    poll: float = 0.2
    revoke: float = 5.0
    shutdown: float = 20.0
    drain: bool = False

    def __post_init__(self) -> None:
        if min(self.interval, self.poll, self.revoke, self.shutdown) <= 0:
            raise ValueError("interval, poll, revoke and shutdown must be above 0 s")
