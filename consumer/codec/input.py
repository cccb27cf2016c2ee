"""Input records for those who send audio: the mirror of records.decode_chunk."""

from consumer.codec.envelope import write_body
from consumer.codec.fields import ChunkFields, ContentType
from consumer.codec.headers import CONTENT_TYPE, MIME, write_headers
from consumer.model import Outgoing, SessionKey


def encode_chunk(
    topic: str,
    key: SessionKey,
    payload: bytes | None,
    fields: ChunkFields,
    *,
    content: ContentType = ContentType.RAW,
    partition: int | None = None,
) -> Outgoing:
    """One chunk of a session; fields left at None fall to the reader's defaults.

    payload None makes an end mark with a null value, whose fields travel in headers.
    """
    if payload is None or content is ContentType.RAW:
        value, headers = payload, write_headers(fields)
    else:
        value, headers = write_body(content, fields, payload), ()
    return Outgoing(
        topic=topic,
        partition=partition,
        key=key.encode(),
        value=value,
        headers=((CONTENT_TYPE, MIME[content]), *headers),
    )
