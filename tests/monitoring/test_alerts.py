"""Every alert fires when it should, after the time that it should, and clears again."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from consumer.adapters.telemetry.scrape import prometheus_name
from consumer.measures import MEASURES, Kind

ROOT = Path(__file__).parents[2]
RULES = ROOT / "helm" / "detection-consumer" / "files" / "alerts.yaml"
P = "detection_consumer_"


class Case(NamedTuple):
    """series: by name and labels, a value a minute, as promtool writes them. calm, fires, clears:
    minutes at which the alert is silent yet, firing, and silent again.
    """

    series: Mapping[str, str]
    calm: int
    fires: int
    clears: int


CASES = {
    "DetectionConsumerGone": Case({P + "partitions_owned": "4x5 _x20 4x10"}, 13, 18, 28),
    "DetectionApiDown": Case({P + "breaker_open": "0x5 1x10 0x10"}, 7, 9, 17),
    "DetectionCredentialsRefused": Case(
        {P + 'streams_broken_total{code="UNAUTHENTICATED"}': "0x5 3x30"}, 5, 7, 13
    ),
    "DetectionNoResults": Case(
        {
            P + "audio_sent_seconds_total": "0+600x60",
            P + "results_received_total": "0+5x10 50x40 50+5x30",
        },
        *(20, 33, 55),
    ),
    "DetectionOldestUnsettled": Case(
        {P + "oldest_unsettled_seconds": "0x5 301+60x15 0x10"}, 10, 12, 22
    ),
    "DetectionLag": Case({P + 'lag_seconds{partition="3"}': "1x5 45x12 0x10"}, 10, 12, 19),
    "DetectionPartitionStopped": Case({P + "partitions_stopped": "0x5 1x5 0x5"}, 5, 6, 12),
    "DetectionPartitionStuck": Case({P + "partitions_still": "0x5 1x10 0x5"}, 7, 9, 17),
    "DetectionRestoring": Case(
        {P + 'partition_state{partition="0",state="restoring"}': "_x5 1x10 _x10"}, 8, 12, 22
    ),
    "DetectionDeadLetters": Case(
        {P + 'dead_letters_total{reason="bad-audio"}': "0x5 1x40"}, 5, 7, 23
    ),
    "DetectionSessionsPoisoned": Case({P + "sessions_poisoned_total": "0x5 9x40"}, 5, 7, 23),
    "DetectionCommitsFail": Case({P + "commit_failures_total": "0+1x20 20x30"}, 6, 12, 31),
    "DetectionRebalancing": Case(
        {P + "rebalances_total": "0+1x40 40x60", P + "partitions_owned": "4x100"}, 8, 25, 75
    ),
    "DetectionSlowLoop": Case({P + "loop_delay_seconds": "0x5 2x20 0x20"}, 14, 17, 32),
    "DetectionVerdictsUnusual": Case(
        {
            P + 'results_published_total{label="spoofed"}': "0+1x300 300+30x60 2100+1x200",
            P + 'results_published_total{label="bonafide"}': "0+100x560",
        },
        *(300, 345, 440),
    ),
}


def rules() -> dict[str, dict[str, Any]]:
    """All rules by their names."""
    [group] = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def firing(name: str, minute: int, *, is_firing: bool) -> dict[str, Any]:
    """A check that this alert fires, or does not, at this minute."""
    samples = [{"labels": "{}", "value": 1}] if is_firing else []
    expression = f'count(ALERTS{{alertname="{name}",alertstate="firing"}})'
    return {"expr": expression, "eval_time": f"{minute}m", "exp_samples": samples}


def stories() -> Iterator[dict[str, Any]]:
    """What promtool is to play, one story an alert."""
    for name, case in CASES.items():
        yield {
            "name": name,
            "interval": "1m",
            "input_series": [{"series": s, "values": v} for s, v in case.series.items()],
            "promql_expr_test": [
                firing(name, case.calm, is_firing=False),
                firing(name, case.fires, is_firing=True),
                firing(name, case.clears, is_firing=False),
            ],
        }


def test_every_alert_has_its_story() -> None:
    """And says whom it wakes, what happened, and what to do; and stands in the runbook."""
    assert set(rules()) == set(CASES)
    runbook = (ROOT / "docs" / "operations.md").read_text()
    for name, rule in rules().items():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["runbook"]
        assert f"### {name}\n" in runbook


def test_rules_speak_of_metrics_that_there_are() -> None:
    """A name that no replica shows would never fire."""
    shown = {
        prometheus_name(name) + ("_total" if measure.kind is Kind.COUNTER else "")
        for name, measure in MEASURES.items()
    }
    for rule in rules().values():
        words = set(rule["expr"].replace("(", " ").replace("{", " ").replace(")", " ").split())
        named = {word.split("[")[0] for word in words if word.startswith(P)}
        assert named
        assert named <= shown, rule["alert"]


def test_alerts_fire_and_clear(promtool: str, tmp_path: Path) -> None:
    """In promtool's own time, by Prometheus' own engine."""
    story = tmp_path / "story.yaml"
    whole = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": list(stories())}
    story.write_text(json.dumps(whole))
    played = subprocess.run(
        [promtool, "test", "rules", str(story)], capture_output=True, text=True, check=False
    )
    assert played.returncode == 0, played.stdout + played.stderr
