"""Mutants of the engine: each moves something too early, too late, twice or not at all."""

from tests.mutants.mutant import Mutant

_DISPATCHER = "tests/engine/test_dispatcher.py"
_OUTLET = "tests/engine/test_outlet.py"
_OWNERSHIP = "tests/engine/test_ownership.py"
_PIPELINE = "tests/engine/test_pipeline.py"
_PUMP = "tests/engine/test_pump.py"
_TENURE = "tests/engine/test_tenure.py"
_WORKER = "tests/engine/test_worker.py"

ENGINE = (
    Mutant(
        name="settle before the acknowledgement",
        file="consumer/engine/outlet.py",
        original="        self._append(settled)\n",
        replacement="        settled()\n",
        breaks="nothing is committed before its results are acknowledged",
        tests=(_OUTLET,),
    ),
    Mutant(
        name="publishing that failed is given up",
        file="consumer/engine/writers.py",
        original="clock.monotonic()\n        while unsent:\n            before",
        replacement="clock.monotonic()\n        for _ in (1,):\n            before",
        breaks="a result is published before its offsets settle",
        tests=(_OUTLET,),
    ),
    Mutant(
        name="results overtake one that failed",
        file="consumer/engine/writers.py",
        original="            break  # what follows must not overtake it\n",
        replacement="            continue\n",
        breaks="results leave in order",
        tests=(_OUTLET,),
    ),
    Mutant(
        name="settle before the dead letter",
        file="consumer/engine/egress.py",
        original="        if self._corked is not None:\n            self._corked.append(action)\n",
        replacement="        if self._corked is not None and not isinstance(action, Settle):\n"
        "            self._corked.append(action)\n",
        breaks="a dead letter is written before its offset settles",
        tests=("tests/engine/test_egress.py",),
    ),
    Mutant(
        name="an unusable record is skipped",
        file="consumer/engine/pipeline.py",
        original="        tenure.reject(record.offset, "
        "encode_letter(letter, self._kit.dead_letter_topic))\n",
        replacement="",
        breaks="a record that nobody understands goes to the dead letters",
        tests=(_PIPELINE,),
    ),
    Mutant(
        name="a mass of unusable records drains the topic",
        file="consumer/engine/pipeline.py",
        original="if tenure.unusable_in_a_row > limit:",
        replacement="if tenure.unusable_in_a_row < 0:",
        breaks="too many dead letters in a row stop the partition",
        tests=(_PIPELINE,),
    ),
    Mutant(
        name="records are taken twice",
        file="consumer/engine/pipeline.py",
        original="if record.offset < tenure.offsets.position:",
        replacement="if record.offset < 0:",
        breaks="a record below the next expected offset is dropped before decoding",
        tests=(_PIPELINE,),
    ),
    Mutant(
        name="settle after the tenure's end",
        file="consumer/engine/tenure.py",
        original="        if self.phase is Phase.ENDED:\n",
        replacement="        if self.phase is Phase.RESTORING:\n",
        breaks="a late settle does nothing",
        tests=(_TENURE,),
    ),
    Mutant(
        name="commit the position",
        file="consumer/engine/tenure.py",
        original="Standing(self.offsets.watermark, self.claim)",
        replacement="Standing(self.offsets.position, self.claim)",
        breaks="contiguous settled is committed, never highest seen",
        tests=(_TENURE,),
    ),
    Mutant(
        name="commit what is lost",
        file="consumer/engine/ownership.py",
        original="            if not lost:\n",
        replacement="            if lost is not None:\n",
        breaks="a revoke without a valid generation commits nothing",
        tests=(_OWNERSHIP,),
    ),
    Mutant(
        name="give back without publishing first",
        file="consumer/engine/ownership.py",
        original="                await self._flush(holdings, budget * _FLUSHING)\n",
        replacement="",
        breaks="giving back flushes, settles and commits what is done",
        tests=(_OWNERSHIP,),
    ),
    Mutant(
        name="half-close on cancel",
        file="consumer/engine/pump.py",
        original="        finally:\n            stream.cancel()\n",
        replacement="        finally:\n            await stream.half_close()\n",
        breaks="a stream that is given up is not half-closed, which would cut an utterance",
        tests=(_PUMP,),
    ),
    Mutant(
        name="both pumps tell of a break",
        file="consumer/engine/pump.py",
        original="        except StreamFailed:\n            stream.cancel()",
        replacement="        except StreamFailed as failure:\n"
        "            self._tell(self._broke(failure))\n            stream.cancel()",
        breaks="a break counts once",
        tests=(_PUMP,),
    ),
    Mutant(
        name="an early OK is said to be ours",
        file="consumer/engine/pump.py",
        original="return StreamEnded(self._number, stream.half_closed)",
        replacement="return StreamEnded(self._number, half_closed=True)",
        breaks="an OK before our half-close is told apart",
        tests=(_PUMP,),
    ),
    Mutant(
        name="a dropped session streams on",
        file="consumer/engine/worker.py",
        original="        if self._pump is not None:\n            self._pump.cancel()\n",
        replacement="",
        breaks="streams of a partition that went are cancelled",
        tests=(_WORKER,),
    ),
    Mutant(
        name="another call's record is taken for a session's own",
        file="consumer/engine/worker.py",
        original="if record is None or record.key != self.key.encode():",
        replacement="if record is None:",
        breaks="what took a deleted record's place is not this session's audio",
        tests=(_WORKER,),
    ),
    Mutant(
        name="the alarm is not moved",
        file="consumer/engine/worker.py",
        original="            if self._timer.when() <= deadline:\n                return\n",
        replacement="            if self._timer.when() > 0:\n                return\n",
        breaks="a deadline that comes nearer is kept",
        tests=(_WORKER,),
    ),
    Mutant(
        name="two streams for one key",
        file="consumer/engine/dispatcher.py",
        original="released=not line)",
        replacement="released=True)",
        breaks="a new incarnation waits for the end of the one before",
        tests=(_DISPATCHER,),
    ),
    Mutant(
        name="an old end mark ends a new call",
        file="consumer/engine/dispatcher.py",
        original="if worker is None or chunk.timestamp < worker.began:",
        replacement="if worker is None:",
        breaks="an end mark older than the session's first record is ignored",
        tests=(_DISPATCHER,),
    ),
    Mutant(
        name="a full partition is fetched all the same",
        file="consumer/engine/pipeline.py",
        original="            if everything or holding.tenure.left_out\n",
        replacement="            if everything\n",
        breaks="bytes that wait leave their partition out of the next fetch",
        tests=(_PIPELINE,),
    ),
    Mutant(
        name="nobody is told that the API works again",
        file="consumer/engine/prober.py",
        original="            holding.dispatcher.poke()\n",
        replacement="            pass\n",
        breaks="parked sessions resume",
        tests=("tests/engine/test_prober.py",),
    ),
)
