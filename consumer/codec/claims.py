"""Claims as metadata of committed offsets."""

from consumer.core.claim import Claim

_VERSION = "owned.v1"


def write_claim(claim: Claim | None) -> str:
    """The metadata that says this; empty for no claim."""
    return "" if claim is None else f"{_VERSION} {claim.epoch} {claim.owner}"


def read_claim(metadata: str | None) -> Claim | None:
    """The claim in this metadata, None when it holds none of ours."""
    match (metadata or "").split(" "):
        case [version, epoch, owner] if version == _VERSION and epoch.isdecimal():
            return Claim(int(epoch), owner) if int(epoch) and owner else None
        case _:
            return None
