"""Writes what is generated in README.md and docs/: `make readme`."""

import re
from collections.abc import Iterator
from pathlib import Path

from consumer.adapters.telemetry.scrape import prometheus_name
from consumer.measures import MEASURES, Kind
from consumer.settings.table import reference_markdown

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
METRICS = ROOT / "docs" / "metrics.md"
TABLE = re.compile(r"(<!-- (\w+): begin -->\n)(.*)(<!-- \2: end -->)", re.DOTALL)


def written(page: Path, table: str) -> str:
    """The page with its table as it is now."""
    return TABLE.sub(lambda found: found[1] + table.strip() + "\n" + found[4], page.read_text())


def metrics_markdown() -> str:
    """The table of all metrics, by the names that Prometheus sees."""
    return "\n".join(
        ["| Metric | Kind | Unit | Labels | What it says |", "|---|---|---|---|---|", *_rows()]
    )


def _rows() -> Iterator[str]:
    for name, measure in MEASURES.items():
        suffix = "_total" if measure.kind is Kind.COUNTER else ""
        labels = ", ".join(f"`{label.replace('.', '_')}`" for label in measure.labels)
        yield (
            f"| `{prometheus_name(name)}{suffix}` | {measure.kind} | {measure.unit} | {labels} "
            f"| {measure.about} |"
        )


PAGES = {README: reference_markdown, METRICS: metrics_markdown}

if __name__ == "__main__":
    for page, table in PAGES.items():
        page.write_text(written(page, table()))
