"""The watermark is the lowest unsettled offset, and nothing else."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from consumer.core.offsets import Lane, PartitionOffsets
from consumer.errors import LocalProtocolError
from consumer.model import Offset


def test_without_unsettled_records_the_position_may_be_committed() -> None:
    """A new owner starts where it begins to read."""
    offsets = PartitionOffsets(Offset(7))
    assert (offsets.watermark, offsets.position, offsets.unsettled) == (7, 7, 0)


def test_an_unsettled_record_holds_the_watermark() -> None:
    """The position goes on, the watermark stays."""
    offsets = PartitionOffsets(Offset(7))
    offsets.track(offsets.lane(), Offset(9))
    assert (offsets.watermark, offsets.position, offsets.unsettled) == (9, 10, 1)


def test_settled_records_above_an_unsettled_one_are_not_committed() -> None:
    """Contiguous settled, never highest seen."""
    offsets = PartitionOffsets(Offset(0))
    first, second = offsets.lane(), offsets.lane()
    offsets.track(first, Offset(0))
    offsets.track(second, Offset(1))
    offsets.settle(second, Offset(2))
    assert offsets.watermark == 0
    offsets.settle(first, Offset(1))
    assert offsets.watermark == 2


def test_a_record_below_the_position_can_not_be_received() -> None:
    """Each record is taken once."""
    offsets = PartitionOffsets(Offset(7))
    with pytest.raises(LocalProtocolError, match="6 is below the position 7"):
        offsets.track(offsets.lane(), Offset(6))


def test_settling_a_lane_without_records_changes_nothing() -> None:
    """A session may settle what it has settled before."""
    offsets = PartitionOffsets(Offset(7))
    offsets.settle(offsets.lane(), Offset(99))
    assert offsets.watermark == 7


def test_a_lane_goes_on_after_it_was_empty() -> None:
    """A session that has caught up gets further records."""
    offsets = PartitionOffsets(Offset(0))
    lane = offsets.lane()
    offsets.track(lane, Offset(0))
    offsets.settle(lane, Offset(1))
    offsets.track(lane, Offset(5))
    assert (offsets.watermark, offsets.unsettled) == (5, 1)


def test_a_skipped_record_only_moves_the_position() -> None:
    """What an earlier owner settled needs no lane, and holds nothing once the rest is settled."""
    offsets = PartitionOffsets(Offset(5))
    lane = offsets.lane()
    offsets.track(lane, Offset(5))
    offsets.skip(Offset(8))
    assert (offsets.position, offsets.watermark, offsets.unsettled) == (9, 5, 1)
    offsets.skip(Offset(6))
    assert offsets.position == 9
    offsets.settle(lane, Offset(6))
    assert offsets.watermark == 9


def test_lanes_that_move_while_one_is_stuck_leave_no_litter() -> None:
    """One session that settles nothing for hours must not cost memory for what others settle."""
    offsets = PartitionOffsets(Offset(0))
    stuck, busy = offsets.lane(), offsets.lane()
    offsets.track(stuck, Offset(0))
    offsets.track(busy, Offset(1))
    for offset in range(2, 5000):
        offsets.track(busy, Offset(offset))
        offsets.settle(busy, Offset(offset))
    assert offsets.watermark == 0
    assert len(offsets._fronts) < 1100
    offsets.settle(stuck, Offset(1))
    assert offsets.watermark == 4999


class OffsetsMachine(RuleBasedStateMachine):
    """Many sessions' lanes against plain sets of what is unsettled."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr("consumer.core.offsets._SLACK", 3)
        self.offsets = PartitionOffsets(Offset(10))
        self.lanes: dict[Lane, set[int]] = {}
        self.position = 10
        self.before = 10

    def teardown(self) -> None:
        self.patch.undo()

    @rule()
    def open(self) -> None:
        self.lanes[self.offsets.lane()] = set()

    @precondition(lambda self: self.lanes)
    @rule(data=st.data(), gap=st.sampled_from([0, 0, 0, 1, 9]), times=st.integers(1, 8))
    def track(self, data: st.DataObject, gap: int, times: int) -> None:
        """Received offsets only: what lies in a gap of the log is nobody's."""
        lane = data.draw(st.sampled_from(sorted(self.lanes)))
        for _ in range(times):
            offset = self.position + gap
            self.offsets.track(lane, Offset(offset))
            self.lanes[lane].add(offset)
            self.position = offset + 1

    @rule(gap=st.sampled_from([0, 0, 2]))
    def skip(self, gap: int) -> None:
        """Records that are settled already are nobody's."""
        self.offsets.skip(Offset(self.position + gap))
        self.position += gap + 1

    @precondition(lambda self: any(self.lanes.values()))
    @rule(data=st.data(), more=st.integers(0, 2))
    def settle(self, data: st.DataObject, more: int) -> None:
        lane = data.draw(st.sampled_from(sorted(k for k, v in self.lanes.items() if v)))
        below = data.draw(st.sampled_from(sorted(self.lanes[lane]))) + more
        self.offsets.settle(lane, Offset(below))
        self.lanes[lane] = {offset for offset in self.lanes[lane] if offset >= below}

    @precondition(lambda self: self.lanes)
    @rule(data=st.data())
    def settle_all(self, data: st.DataObject) -> None:
        lane = data.draw(st.sampled_from(sorted(self.lanes)))
        self.offsets.settle(lane, Offset(self.position))
        self.lanes[lane] = set()

    @invariant()
    def agrees(self) -> None:
        """The watermark never passes an unsettled offset and never moves back."""
        unsettled = set().union(*self.lanes.values())
        watermark = self.offsets.watermark
        assert watermark == min(unsettled, default=self.position)
        assert watermark >= self.before
        assert self.offsets.unsettled == len(unsettled)
        assert self.offsets.position == self.position
        self.before = watermark


TestOffsetsModel = pytest.mark.timeout(1200)(OffsetsMachine.TestCase)  # deep takes its time
TestOffsetsModel.settings = settings(stateful_step_count=60, deadline=None)
