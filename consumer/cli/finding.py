"""What `check` tells of one look."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One look. good: nothing needs to be done. text: what was found, and what to do."""

    what: str
    good: bool
    text: str
