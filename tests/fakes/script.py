"""What a test has planned for a fake's calls: errors, waits and delays, in order."""

import asyncio
from collections import defaultdict, deque


class Script:
    """Plans for calls by their name; a call without a plan just works.

    fail("commit", error): the next commit raises it. hold("commit"): commits wait until the
    returned event is set. delay("commit", 2.0): every commit takes that long.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._errors: defaultdict[str, deque[BaseException]] = defaultdict(deque)
        self._holds: dict[str, asyncio.Event] = {}
        self._delays: dict[str, float] = {}

    def fail(self, call: str, *errors: BaseException) -> None:
        """Let the next calls of this name raise these, one each."""
        self._errors[call].extend(errors)

    def hold(self, call: str) -> asyncio.Event:
        """Let calls of this name wait until the event is set."""
        return self._holds.setdefault(call, asyncio.Event())

    def delay(self, call: str, seconds: float) -> None:
        """Let calls of this name take so long."""
        self._delays[call] = seconds

    async def play(self, call: str) -> None:
        """Live through what is planned for this call. Raises what was planned.

        Lets others run in any case, as everything does that goes over a network.
        """
        self.calls.append(call)
        await asyncio.sleep(0)
        hold = self._holds.get(call)
        if hold is not None:
            await hold.wait()
        if call in self._delays:
            await asyncio.sleep(self._delays[call])
        if self._errors[call]:
            raise self._errors[call].popleft()
