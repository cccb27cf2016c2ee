"""Mutants of delivery: each loses, doubles or misplaces something when a partition moves."""

from tests.mutants.mutant import Mutant

_EXACTLY_ONCE = "tests/engine/test_exactly_once.py"
_JOURNAL = "tests/engine/test_journal.py"
_OWNERSHIP = "tests/engine/test_ownership.py"
_REBALANCE = "tests/engine/test_rebalance.py"
_STOPPING = "tests/engine/test_stopping.py"

DELIVERY = (
    Mutant(
        name="a checkpoint is written beside its results",
        file="consumer/engine/outlet.py",
        original="        self._append(_BARRIER)\n",
        replacement="        self._append(lambda: None)\n",
        breaks="results are acknowledged before a checkpoint says that they are published",
        tests=("tests/engine/test_tenure.py",),
    ),
    Mutant(
        name="a call is forgotten before the commit",
        file="consumer/engine/journal.py",
        original="            if last < self._committed and key not in self._news\n",
        replacement="            if key not in self._news\n",
        breaks="a call that is over is remembered until a commit has passed it",
        tests=(_JOURNAL,),
    ),
    Mutant(
        name="the end of a call is not told",
        file="consumer/engine/journal.py",
        original="        self._news.add(key)\n",
        replacement="",
        breaks="records of a call that is over are no new call",
        tests=(_JOURNAL,),
    ),
    Mutant(
        name="dead letters of nobody are forgotten",
        file="consumer/engine/tenure.py",
        original="            self.journal.loose.add(offset)\n",
        replacement="            pass\n",
        breaks="a dead letter is written once",
        tests=(_EXACTLY_ONCE,),
    ),
    Mutant(
        name="letters written ahead are not noted",
        file="consumer/engine/egress.py",
        original="            self._home.lettered.update(fresh)\n",
        replacement="            pass\n",
        breaks="the letters of a poisoned call are written once",
        tests=(_EXACTLY_ONCE,),
    ),
    Mutant(
        name="a checkpoint runs ahead of its letters",
        file="consumer/engine/worker.py",
        original="        return self._egress.braced or self._snapshot()\n",
        replacement="        return self._snapshot()\n",
        breaks="no letter is lost when a crash comes between",
        tests=(_EXACTLY_ONCE,),
    ),
    Mutant(
        name="settled records are taken again",
        file="consumer/engine/dispatcher.py",
        original='        return record.offset < self._settled.get(record.key or b"", Offset(0))\n',
        replacement="        return False\n",
        breaks="a call goes on where its last owner stood",
        tests=(_EXACTLY_ONCE, "tests/engine/test_chaos.py"),
    ),
    Mutant(
        name="nobody is kept out",
        file="consumer/engine/taking.py",
        original="    await holding.writer.start()\n"
        "    standing = await source.standing(partition)\n",
        replacement="    standing = await source.standing(partition)\n"
        "    await holding.writer.start()\n",
        breaks="how far things stand is read when nobody can change it any more",
        tests=("tests/engine/test_taking.py",),
    ),
    Mutant(
        name="a foreign owner goes unnoticed",
        file="consumer/engine/taking.py",
        original="    return standing is not None and standing.claim == claim\n",
        replacement="    return standing is not None\n",
        breaks="a partition that another has had begins anew",
        tests=(_OWNERSHIP,),
    ),
    Mutant(
        name="what was assigned elsewhere is kept",
        file="consumer/engine/ownership.py",
        original="        self._drop([holding for holding in self "
        "if holding.tenure.partition not in partitions])\n",
        replacement="",
        breaks="a partition has one owner",
        tests=(_REBALANCE,),
    ),
    Mutant(
        name="a partition that stays is dropped",
        file="consumer/engine/ownership.py",
        original="                if not await is_untouched(holding, self._kit):\n",
        replacement="                if await is_untouched(holding, self._kit):\n",
        breaks="streams live on through a rebalance",
        tests=(_OWNERSHIP, _REBALANCE),
    ),
    Mutant(
        name="a final seal outlives its rebalance",
        file="consumer/engine/outlet.py",
        original="        if item.final and self._shut:\n",
        replacement="        if item.final:\n",
        breaks="a partition that came back publishes",
        tests=("tests/engine/test_outlet.py",),
    ),
    Mutant(
        name="a transaction is left open",
        file="consumer/engine/writers.py",
        original='        self._open = False\n        self._kit.metrics.count("commits")\n',
        replacement='        self._kit.metrics.count("commits")\n',
        breaks="what comes after a commit is in the next transaction",
        tests=(_EXACTLY_ONCE,),
    ),
    Mutant(
        name="a failed transaction is tried again in memory",
        file="consumer/engine/writers.py",
        original="            if failure is not None and not isinstance(failure, RecordTooLarge):\n"
        "                raise failure\n",
        replacement="",
        breaks="after an unknown outcome nothing in memory is trusted",
        tests=(_EXACTLY_ONCE,),
    ),
    Mutant(
        name="a stop cuts off what a rebalance gives back",
        file="consumer/engine/ownership.py",
        original="        async with self._giving_back:\n"
        "            await self._give_back(partitions, lost)\n",
        replacement="        await self._give_back(partitions, lost)\n",
        breaks="a stop commits what is done, also in a rebalance",
        tests=(_STOPPING,),
    ),
    Mutant(
        name="a stop waits until the group lets us in",
        file="consumer/engine/pipeline.py",
        original="            if not await unless(self._stopping, joining):\n"
        "                return\n",
        replacement="            await joining\n",
        breaks="a stop ends within its time, also while joining",
        tests=(_STOPPING,),
    ),
    Mutant(
        name="stopping has no end",
        file="consumer/app/grace.py",
        original="            self._limit.reschedule(loop.time() + self._seconds)\n",
        replacement="            self._limit.reschedule(None)\n",
        breaks="a stop ends within its time, whoever doesn't answer",
        tests=("tests/app/test_grace.py",),
    ),
)
