"""Claims as metadata of committed offsets: what is written is read, and nothing else is a claim."""

import pytest

from consumer.codec.claims import read_claim, write_claim
from consumer.core.claim import Claim


@pytest.mark.parametrize("claim", [Claim(1, "a"), Claim(2**63, "0b5e-ü"), None])
def test_reads_what_it_writes(claim: Claim | None) -> None:
    """A claim, or none, comes back as it was."""
    assert read_claim(write_claim(claim)) == claim


def test_the_wire_form_stays_as_it_is() -> None:
    """Owners of different versions read each other's claims."""
    assert write_claim(Claim(7, "me")) == "owned.v1 7 me"
    assert write_claim(None) == ""


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        "",
        "someone's note",
        "owned.v2 7 me",
        "owned.v1 7",
        "owned.v1 7 ",
        "owned.v1 0 me",
        "owned.v1 -1 me",
        "owned.v1 x me",
        "owned.v1 7 me too",
    ],
)
def test_what_others_wrote_is_no_claim(metadata: str | None) -> None:
    """An offset set by a person or another program counts, but it is nobody's claim."""
    assert read_claim(metadata) is None
