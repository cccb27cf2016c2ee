"""What can go wrong in the sandbox, and who has to act.

    SandboxError
    +-- Misused         the operator's: an option that can't work
    |   +-- CannotListen    an address that is taken or isn't ours
    +-- Refused         the caller's, or a fault on demand: a call ends with a gRPC status

The wing has a tree of its own because it may know nothing of the rest of the house.
"""


class SandboxError(Exception):
    """Root of everything the sandbox raises on purpose."""


class Misused(SandboxError):
    """An option is wrong; the text says which and what would be right."""


class CannotListen(Misused):
    """A port can't be opened."""


class Refused(SandboxError):
    """A call is to end with a status; `status` is the name of a gRPC status code."""

    def __init__(self, status: str, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
