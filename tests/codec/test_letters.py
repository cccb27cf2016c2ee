"""Dead letters, beyond the examples."""

from hypothesis import given
from hypothesis import strategies as st

from consumer.codec.letters import DETAIL_LIMIT, encode_letter
from consumer.model import DeadLetter, Milliseconds, Offset, Partition, Record

PARTITION = Partition("calls", 3)


@given(st.text(max_size=2000))
def test_detail_is_bounded(detail: str) -> None:
    """A detail of any length and letters becomes a short header of valid UTF-8."""
    letter = DeadLetter(PARTITION, Offset(5), "bad-json", detail)
    header = dict(encode_letter(letter, "dlq").headers)["dlq-detail"]
    assert len(header) <= DETAIL_LIMIT
    assert detail.encode().startswith(header)
    assert len(header) > DETAIL_LIMIT - 4 or header == detail.encode()


def test_unpaired_surrogates() -> None:
    """A detail that is no text in UTF-8 doesn't keep the letter from being written."""
    letter = DeadLetter(PARTITION, Offset(5), "bad-json", "\ud800!")
    assert dict(encode_letter(letter, "dlq").headers)["dlq-detail"] == b"\\ud800!"


@given(
    st.none() | st.binary(max_size=20),
    st.none() | st.binary(max_size=20),
    st.lists(st.tuples(st.text("dlq-topic", max_size=10), st.binary(max_size=5)), max_size=5),
)
def test_original(key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
    """Key, value and foreign headers are the original's; each of ours stands there once."""
    headers.append(("dlq-offset", b"old"))
    record = Record(PARTITION, Offset(5), Milliseconds(6), key, value, tuple(headers))
    letter = DeadLetter(PARTITION, Offset(5), "bad-json", "", key, record)
    out = encode_letter(letter, "dlq")
    assert (out.key, out.value) == (key, value)
    kept = [header for header in headers if header[0] not in ("dlq-topic", "dlq-offset")]
    assert list(out.headers[: len(kept)]) == kept
    names = [name for name, _ in out.headers[len(kept) :]]
    assert len(names) == len(set(names)) == 7
    assert ("dlq-offset", b"5") in out.headers
