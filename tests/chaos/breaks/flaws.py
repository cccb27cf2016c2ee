"""The breaks: each is a way in which such a service can be wrong and look right."""

from tests.chaos.breaks.flaw import Change, Flaw
from tests.chaos.breaks.scene import CUTS, DEAF, DEPLOY, EARLY, KILL

FLAWS = (
    Flaw(
        name="commit before settling",
        changes=(
            Change(
                "consumer/engine/tenure.py",
                "        watermark = self.offsets.watermark\n",
                "        watermark = self.offsets.position\n",
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
)
