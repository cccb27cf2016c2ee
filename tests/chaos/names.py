"""What things are called in a run."""

from typing import NamedTuple

PARTITIONS = 8
CID = 7
TOKEN = "a-token-of-chaos"  # of the sandbox, for as long as a run lasts


class Names(NamedTuple):
    """Topics and group."""

    input: str
    results: str
    sessions: str
    letters: str
    group: str

    @staticmethod
    def of(stem: str) -> "Names":
        """With this in front of each."""
        return Names(
            input=f"{stem}-calls",
            results=f"{stem}-results",
            sessions=f"{stem}-sessions",
            letters=f"{stem}-calls-dlq",
            group=f"{stem}-judges",
        )

    @property
    def topics(self) -> tuple[str, ...]:
        """That are made before the run."""
        return (self.input, self.results, self.sessions, self.letters)
