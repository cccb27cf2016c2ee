"""What `check` looks at: the settings, Kafka and the API."""

from collections.abc import AsyncIterator

from consumer.adapters.analyzer.analyzer import GrpcAnalyzer
from consumer.app.connect import analyzer_options
from consumer.cli.brokers import examine_brokers
from consumer.cli.finding import Finding
from consumer.errors import Fault, StreamFailed
from consumer.settings.api import ApiSettings
from consumer.settings.settings import Settings

_ADVICE = {
    Fault.SETTINGS: "check CONSUMER_API__CID, CONSUMER_API__TOKEN and CONSUMER_API__METHOD",
    Fault.AUDIO: "the endpoint knows the method but not our config: is it another version?",
    Fault.TRANSIENT: "check CONSUMER_API__TARGET, CONSUMER_API__TLS, CONSUMER_API__CA_FILE, and "
    "the way through proxies and firewalls",
}


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """All looks, each told as soon as it is done."""
    yield Finding("settings", True, "complete")
    async for finding in examine_brokers(settings):
        yield finding
    yield await _api(settings.api)


async def _api(api: ApiSettings) -> Finding:
    what = f"API {api.target}"
    analyzer = GrpcAnalyzer(analyzer_options(api))
    try:
        await analyzer.probe()
    except StreamFailed as error:
        return Finding(what, False, f"{error}; {_ADVICE[error.fault]}")
    finally:
        await analyzer.stop()
    tls = "with TLS" if api.tls else "WITHOUT TLS, so token and audio can be read on the way"
    text = f"{api.method} accepts project {api.cid} and its token: a stream with a config and "
    return Finding(what, True, f"{text}no audio came to its OK, {tls}")
