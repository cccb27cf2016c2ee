"""Writes the dashboards of the chart: `make dashboards`."""

from pathlib import Path
from typing import Final

from tests.monitoring.boards import DASHBOARDS
from tests.monitoring.panels import written

FOLDER: Final = Path(__file__).parents[2] / "helm" / "detection-consumer" / "files" / "dashboards"

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for each in DASHBOARDS:
        (FOLDER / f"{each.name}.json").write_text(written(each))
