"""What all tests share: Apache Kafka, and profiles for the property tests.

`quick` skips shrinking, `deep` looks longer.
"""

import asyncio
import os

from hypothesis import Phase, settings

from tests.kafka.fixtures import apache_kafka, guarded_kafka, new_kafka

__all__ = ["apache_kafka", "guarded_kafka", "new_kafka"]

settings.register_profile("quick", phases=(Phase.explicit, Phase.reuse, Phase.generate))
settings.register_profile("deep", max_examples=5000)
settings.register_profile("default", max_examples=300)

# Before its first test pytest-asyncio asks for the current loop, which would make one that nobody
# closes; when the collector finds it, some other test fails. Saying that there is none prevents it.
asyncio.set_event_loop(None)

# The sandbox's model runtime reports home by default; the tests must not.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
