"""The breaks: each is a way in which such a service can be wrong and look right."""

from tests.chaos.breaks.flaw import Change, Flaw
from tests.chaos.breaks.scene import CUTS, DEAF, DEPLOY, EARLY, KILL, SHORT, ZOMBIE

FLAWS = (
    Flaw(
        name="commit before settling",
        changes=(
            Change(
                "consumer/engine/tenure.py",
                "        return Standing(self.offsets.watermark, self.claim)\n",
                "        return Standing(self.offsets.position, self.claim)\n",
            ),
        ),
        scene=KILL,
        rule="early",
    ),
    Flaw(
        name="settle by a horizon guess",
        changes=(
            Change(
                "consumer/core/outflow.py",
                "if rolls is not None and now >= rolls:\n                self.cut(now)\n",
                "if rolls is not None and now >= rolls:\n"
                "                self.judgement.advance(stream.sent)\n",
            ),
        ),
        scene=DEAF,
        rule="early",
    ),
    Flaw(
        name="wrong base after a reconnect",
        changes=(
            Change(
                "consumer/core/outflow.py",
                "self.judgement.clock(config, base,",
                "self.judgement.clock(config, 0,",
            ),
        ),
        scene=CUTS,
        rule="mistimed",
    ),
    Flaw(
        name="only new audio after a reconnect",
        changes=(
            Change(
                "consumer/core/outflow.py",
                "base = self.judgement.judged\n",
                "base = self.intake.tape.end if self.opened else self.judgement.judged\n",
            ),
        ),
        scene=CUTS,
        rule="missing",
    ),
    Flaw(
        name="an early OK taken for the end",
        changes=(
            Change(
                "consumer/core/session.py",
                '            why = "the stream ended before it was half-closed"\n',
                "            life.judge(stream.sent, self._now)\n"
                '            why = "the stream ended before it was half-closed"\n',
            ),
        ),
        scene=EARLY,
        rule="unjudged",
    ),
    Flaw(
        name="half-close on revoke",
        changes=(
            Change(
                "consumer/engine/worker.py",
                "        if self._pump is not None:\n            self._pump.cancel()\n",
                "        if self._pump is not None:\n            self._pump.push(None)\n",
            ),
        ),
        scene=DEPLOY,
        rule="cut",
    ),
    Flaw(
        name="tombstone before the commit",
        changes=(
            Change(
                "consumer/engine/journal.py",
                "            if last < self._committed and key not in self._news\n",
                "            if key not in self._news\n",
            ),
        ),
        scene=SHORT,
        rule="resumed",
    ),
    Flaw(
        name="no fencing",
        changes=(
            Change(
                "consumer/adapters/kafka/transactor.py",
                "{partition.topic}:{ending}",
                "{partition.topic}:{ending}:{id(self)}",
            ),
            Change(
                "consumer/engine/ownership.py",
                "            if lost:\n                holding.tenure.outlet.hold()\n",
                "",
            ),
            Change(
                "consumer/engine/ownership.py",
                "            if not lost:\n                await self._hand_over(",
                "            if lost is not None:\n                await self._hand_over(",
            ),
        ),
        scene=ZOMBIE,
        rule="rewound",
        exactly_once=True,
    ),
    Flaw(
        name="kept in spite of a foreign owner in between",
        changes=(
            Change(
                "consumer/engine/ownership.py",
                "if not await is_untouched(holding, self._kit):",
                "if await is_untouched(holding, self._kit) is None:",
            ),
        ),
        scene=ZOMBIE,
        rule="rewound",
    ),
    Flaw(
        name="dedup that eats a replay",
        changes=(
            Change(
                "consumer/core/intake.py",
                "runs, sequence = self.timeline.until(begin), self._trail.memory",
                "runs, sequence = self.timeline.until(begin), SequenceMemory(*self._sequence.seen)",
            ),
        ),
        scene=KILL,
        rule="unjudged",
    ),
)
