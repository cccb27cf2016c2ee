"""Where the service shows how it is, and how it writes its log."""

from typing import Literal

from pydantic import Field

from consumer.settings.address import Local, split
from consumer.settings.group import Group


class AdminSettings(Group):
    """The HTTP server for health."""

    enabled: bool = Field(
        True, description="Serve health over HTTP. On, because orchestrators ask for it."
    )
    listen: Local = Field(
        "0.0.0.0:8080",
        description="Address to listen on, HOST:PORT. All addresses, because probes come from "
        "outside the container.",
    )
    stalled_seconds: float = Field(
        60.0,
        gt=0,
        description="Liveness fails when the poll loop or the event loop stands still for this "
        "long. 60 s: no healthy step takes as long, and a restart is costly.",
    )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return split(self.listen)


class MetricsSettings(Group):
    """Where metrics are pushed to, besides the page at /metrics."""

    otlp_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^/\s]+/?$",
        description="Address of an OpenTelemetry collector that speaks OTLP over gRPC, such as "
        "`http://collector:4317`; `https` for TLS. Needs the extra `otlp`. Empty: nothing is "
        "pushed, because most read the page.",
    )
    otlp_interval_seconds: float = Field(
        60.0, gt=0, description="Between two pushes. 60 s: what OpenTelemetry does by default."
    )


class LogSettings(Group):
    """The log on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least important lines that are written."
    )
    format: Literal["auto", "json", "console"] = Field(
        "auto",
        description="`json` for machines, `console` for people; `auto` looks whether standard "
        "error is a terminal.",
    )
