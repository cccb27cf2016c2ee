"""The command `run`: the service."""

import asyncio

from consumer.app.service import serve
from consumer.cli.options import Config, EnvFile, load
from consumer.settings.settings import Settings


def run(*, env_file: EnvFile = None, config: Config = None) -> None:
    """Run the service: read audio chunks, hold a detection stream per call, publish results.

    Settings come from environment variables (`CONSUMER_...`), an env file or a TOML file, in this
    order. SIGTERM or SIGINT (Ctrl-C) hands the open calls over and ends it; a second one ends it
    at once. Exit codes: 0 stopped as asked, 1 Kafka or the API refuses us, 2 wrong settings.

    Examples:
    - `CONSUMER_KAFKA__BOOTSTRAP_SERVERS=broker:9092 CONSUMER_API__TARGET=host:443
      CONSUMER_API__CID=123 CONSUMER_API__TOKEN_FILE=token detection-consumer run`

    - `detection-consumer run --config consumer.toml`
    """
    asyncio.run(serve(load(Settings, env_file, config)))
