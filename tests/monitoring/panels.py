"""A Grafana dashboard from what it shows.

In Grafana's own format that is a thousand lines in which ten matter; those ten are in `boards`.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_WIDE: Final = 24
_TALL: Final = 8


class Panel(NamedTuple):
    """queries: PromQL and what to call what it finds. unit: Grafana's. kind: of panel.

    quiet: may stay as it is, or find nothing, while all is well.
    """

    title: str
    about: str
    unit: str
    queries: Sequence[tuple[str, str]]
    kind: str = "timeseries"
    quiet: bool = False


class Dashboard(NamedTuple):
    """rows: a heading, and panels that share the width."""

    name: str
    title: str
    about: str
    rows: Sequence[tuple[str, Sequence[Panel]]]


def rate(metric: str) -> str:
    """A second's worth of one of our counters."""
    return f"rate(detection_consumer_{metric}_total[$__rate_interval])"


def spread(metric: str, share: float, *labels: str) -> str:
    """What this share of the observations of a histogram stays below."""
    by = ", ".join(("le", *labels))
    family = f"{metric}_bucket[$__rate_interval]"
    return f"histogram_quantile({share}, sum by ({by}) (rate({family})))"


def half_and_most(metric: str) -> Sequence[tuple[str, str]]:
    """The median, and what hardly any observation is above."""
    return ((spread(metric, 0.5), "half"), (spread(metric, 0.99), "99 of 100"))


def written(dashboard: Dashboard) -> str:
    """The dashboard in Grafana's format."""
    return json.dumps(_model(dashboard), indent=1) + "\n"


def _model(dashboard: Dashboard) -> dict[str, Any]:
    return {
        "uid": f"detection-consumer-{dashboard.name}",
        "title": dashboard.title,
        "description": dashboard.about,
        "tags": ["detection-consumer"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]
        },
        "panels": list(_panels(dashboard)),
    }


def _panels(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    number = top = 0
    for heading, panels in dashboard.rows:
        number += 1
        place = {"h": 1, "w": _WIDE, "x": 0, "y": top}
        yield {"id": number, "type": "row", "title": heading, "gridPos": place, "panels": []}
        top += 1
        width = _WIDE // len(panels)
        tall = _TALL // 2 if all(panel.kind == "stat" for panel in panels) else _TALL
        for column, panel in enumerate(panels):
            number += 1
            place = {"h": tall, "w": width, "x": column * width, "y": top}
            yield {"id": number, "gridPos": place, **_panel(panel)}
        top += tall


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {},
        "targets": [
            {"refId": chr(ord("A") + n), "datasource": _SOURCE, "expr": query, "legendFormat": name}
            for n, (query, name) in enumerate(panel.queries)
        ],
    }
