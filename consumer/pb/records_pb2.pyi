from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChunkEvent(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHUNK_EVENT_UNSPECIFIED: _ClassVar[ChunkEvent]
    CHUNK_EVENT_START: _ClassVar[ChunkEvent]
    CHUNK_EVENT_AUDIO: _ClassVar[ChunkEvent]
    CHUNK_EVENT_END: _ClassVar[ChunkEvent]

class Encoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENCODING_UNSPECIFIED: _ClassVar[Encoding]
    ENCODING_PCM_S16LE: _ClassVar[Encoding]
    ENCODING_PCM_S16BE: _ClassVar[Encoding]
    ENCODING_PCM_MULAW: _ClassVar[Encoding]
    ENCODING_PCM_ALAW: _ClassVar[Encoding]

class LevelChoice(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LEVEL_CHOICE_UNSPECIFIED: _ClassVar[LevelChoice]
    LEVEL_CHOICE_SEGMENT: _ClassVar[LevelChoice]
    LEVEL_CHOICE_UTTERANCE: _ClassVar[LevelChoice]
    LEVEL_CHOICE_ALL: _ClassVar[LevelChoice]

class ResultLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESULT_LEVEL_UNSPECIFIED: _ClassVar[ResultLevel]
    RESULT_LEVEL_SEGMENT: _ClassVar[ResultLevel]
    RESULT_LEVEL_UTTERANCE: _ClassVar[ResultLevel]

class EndReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    END_REASON_UNSPECIFIED: _ClassVar[EndReason]
    END_REASON_MARKED: _ClassVar[EndReason]
    END_REASON_IDLE: _ClassVar[EndReason]
CHUNK_EVENT_UNSPECIFIED: ChunkEvent
CHUNK_EVENT_START: ChunkEvent
CHUNK_EVENT_AUDIO: ChunkEvent
CHUNK_EVENT_END: ChunkEvent
ENCODING_UNSPECIFIED: Encoding
ENCODING_PCM_S16LE: Encoding
ENCODING_PCM_S16BE: Encoding
ENCODING_PCM_MULAW: Encoding
ENCODING_PCM_ALAW: Encoding
LEVEL_CHOICE_UNSPECIFIED: LevelChoice
LEVEL_CHOICE_SEGMENT: LevelChoice
LEVEL_CHOICE_UTTERANCE: LevelChoice
LEVEL_CHOICE_ALL: LevelChoice
RESULT_LEVEL_UNSPECIFIED: ResultLevel
RESULT_LEVEL_SEGMENT: ResultLevel
RESULT_LEVEL_UTTERANCE: ResultLevel
END_REASON_UNSPECIFIED: EndReason
END_REASON_MARKED: EndReason
END_REASON_IDLE: EndReason

class AudioChunk(_message.Message):
    __slots__ = ("audio", "event", "encoding", "sample_rate", "channels", "channel", "level", "sequence", "captured_at", "tenant", "meta", "traceparent")
    class MetaEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    audio: bytes
    event: ChunkEvent
    encoding: Encoding
    sample_rate: int
    channels: int
    channel: int
    level: LevelChoice
    sequence: int
    captured_at: int
    tenant: str
    meta: _containers.ScalarMap[str, str]
    traceparent: str
    def __init__(self, audio: _Optional[bytes] = ..., event: _Optional[_Union[ChunkEvent, str]] = ..., encoding: _Optional[_Union[Encoding, str]] = ..., sample_rate: _Optional[int] = ..., channels: _Optional[int] = ..., channel: _Optional[int] = ..., level: _Optional[_Union[LevelChoice, str]] = ..., sequence: _Optional[int] = ..., captured_at: _Optional[int] = ..., tenant: _Optional[str] = ..., meta: _Optional[_Mapping[str, str]] = ..., traceparent: _Optional[str] = ...) -> None: ...

class Incarnation(_message.Message):
    __slots__ = ("topic", "partition", "offset")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    topic: str
    partition: int
    offset: int
    def __init__(self, topic: _Optional[str] = ..., partition: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class Prediction(_message.Message):
    __slots__ = ("label", "posterior", "logit", "score")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    POSTERIOR_FIELD_NUMBER: _ClassVar[int]
    LOGIT_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    label: str
    posterior: float
    logit: float
    score: float
    def __init__(self, label: _Optional[str] = ..., posterior: _Optional[float] = ..., logit: _Optional[float] = ..., score: _Optional[float] = ...) -> None: ...

class DetectionResult(_message.Message):
    __slots__ = ("id", "session", "incarnation", "stream", "cid", "pid", "message_id", "result_id", "task", "level", "start_ms", "end_ms", "final_label", "predictions", "embedding", "first_offset", "last_offset", "captured_at", "latency_ms", "clamped", "tenant", "meta")
    class MetaEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    START_MS_FIELD_NUMBER: _ClassVar[int]
    END_MS_FIELD_NUMBER: _ClassVar[int]
    FINAL_LABEL_FIELD_NUMBER: _ClassVar[int]
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    FIRST_OFFSET_FIELD_NUMBER: _ClassVar[int]
    LAST_OFFSET_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_FIELD_NUMBER: _ClassVar[int]
    LATENCY_MS_FIELD_NUMBER: _ClassVar[int]
    CLAMPED_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    id: str
    session: str
    incarnation: Incarnation
    stream: int
    cid: int
    pid: int
    message_id: int
    result_id: str
    task: str
    level: ResultLevel
    start_ms: int
    end_ms: int
    final_label: str
    predictions: _containers.RepeatedCompositeFieldContainer[Prediction]
    embedding: str
    first_offset: int
    last_offset: int
    captured_at: int
    latency_ms: int
    clamped: bool
    tenant: str
    meta: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., session: _Optional[str] = ..., incarnation: _Optional[_Union[Incarnation, _Mapping]] = ..., stream: _Optional[int] = ..., cid: _Optional[int] = ..., pid: _Optional[int] = ..., message_id: _Optional[int] = ..., result_id: _Optional[str] = ..., task: _Optional[str] = ..., level: _Optional[_Union[ResultLevel, str]] = ..., start_ms: _Optional[int] = ..., end_ms: _Optional[int] = ..., final_label: _Optional[str] = ..., predictions: _Optional[_Iterable[_Union[Prediction, _Mapping]]] = ..., embedding: _Optional[str] = ..., first_offset: _Optional[int] = ..., last_offset: _Optional[int] = ..., captured_at: _Optional[int] = ..., latency_ms: _Optional[int] = ..., clamped: _Optional[bool] = ..., tenant: _Optional[str] = ..., meta: _Optional[_Mapping[str, str]] = ...) -> None: ...

class SessionStarted(_message.Message):
    __slots__ = ("sample_rate", "level", "resumed")
    SAMPLE_RATE_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    sample_rate: int
    level: LevelChoice
    resumed: bool
    def __init__(self, sample_rate: _Optional[int] = ..., level: _Optional[_Union[LevelChoice, str]] = ..., resumed: _Optional[bool] = ...) -> None: ...

class SessionEnded(_message.Message):
    __slots__ = ("reason", "audio_ms", "judged_ms", "filled_ms", "records", "results", "streams", "repeats", "missing", "dead_letters", "labels", "pids")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    REASON_FIELD_NUMBER: _ClassVar[int]
    AUDIO_MS_FIELD_NUMBER: _ClassVar[int]
    JUDGED_MS_FIELD_NUMBER: _ClassVar[int]
    FILLED_MS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    PIDS_FIELD_NUMBER: _ClassVar[int]
    reason: EndReason
    audio_ms: int
    judged_ms: int
    filled_ms: int
    records: int
    results: int
    streams: int
    repeats: int
    missing: int
    dead_letters: int
    labels: _containers.ScalarMap[str, int]
    pids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, reason: _Optional[_Union[EndReason, str]] = ..., audio_ms: _Optional[int] = ..., judged_ms: _Optional[int] = ..., filled_ms: _Optional[int] = ..., records: _Optional[int] = ..., results: _Optional[int] = ..., streams: _Optional[int] = ..., repeats: _Optional[int] = ..., missing: _Optional[int] = ..., dead_letters: _Optional[int] = ..., labels: _Optional[_Mapping[str, int]] = ..., pids: _Optional[_Iterable[int]] = ...) -> None: ...

class SessionEvent(_message.Message):
    __slots__ = ("id", "session", "incarnation", "timestamp", "tenant", "meta", "started", "ended")
    class MetaEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    id: str
    session: str
    incarnation: Incarnation
    timestamp: int
    tenant: str
    meta: _containers.ScalarMap[str, str]
    started: SessionStarted
    ended: SessionEnded
    def __init__(self, id: _Optional[str] = ..., session: _Optional[str] = ..., incarnation: _Optional[_Union[Incarnation, _Mapping]] = ..., timestamp: _Optional[int] = ..., tenant: _Optional[str] = ..., meta: _Optional[_Mapping[str, str]] = ..., started: _Optional[_Union[SessionStarted, _Mapping]] = ..., ended: _Optional[_Union[SessionEnded, _Mapping]] = ...) -> None: ...
