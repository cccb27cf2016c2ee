"""Claims name an owner and its number, so that metadata can hold them."""

import pytest

from consumer.core.claim import Claim, Standing
from consumer.model import Offset


@pytest.mark.parametrize(("epoch", "owner"), [(0, "me"), (-1, "me"), (1, ""), (1, "me too")])
def test_a_claim_is_whole_or_a_mistake(epoch: int, owner: str) -> None:
    """What could not be read back can't be made."""
    with pytest.raises(ValueError, match="an epoch counts from 1"):
        Claim(epoch, owner)


def test_claims_are_equal_by_what_they_say() -> None:
    """Finding one's own claim means that nobody has taken the partition since."""
    assert Standing(Offset(3), Claim(1, "me")) == Standing(Offset(3), Claim(1, "me"))
    assert Claim(1, "me") != Claim(2, "me")
    assert Claim(1, "me") != Claim(1, "you")
    assert Standing(Offset(3)).claim is None
