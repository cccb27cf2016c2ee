"""The dashboards in the chart are those that are described, in a shape that Grafana takes."""

import json

import pytest

from tests.monitoring.boards import DASHBOARDS
from tests.monitoring.dashboards import FOLDER
from tests.monitoring.panels import Dashboard, written

each_board = pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.name)


@each_board
def test_files_are_current(board: Dashboard) -> None:
    """`make dashboards` writes them."""
    assert (FOLDER / f"{board.name}.json").read_text() == written(board)


def test_no_file_is_left_over() -> None:
    """Each file is one of them."""
    assert {file.stem for file in FOLDER.iterdir()} == {board.name for board in DASHBOARDS}


@each_board
def test_panels_do_not_cover_each_other(board: Dashboard) -> None:
    """Each has an identity and a place of its own within the width, words, and queries."""
    model = json.loads(written(board))
    places: set[tuple[int, int]] = set()
    for panel in model["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & places, panel["title"]
        places |= cells
        if panel["type"] != "row":
            assert panel["description"].endswith(".")
            assert [target["expr"] for target in panel["targets"]]
    numbers = [panel["id"] for panel in model["panels"]]
    assert len(set(numbers)) == len(numbers)
