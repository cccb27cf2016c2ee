"""What anyone would write by hand with aiokafka and grpc.aio: no promise is kept here.

Results are lost in a crash, offsets are committed before the audio under them is judged, a slow
call stops all others, and a broken stream ends its call.
"""

import asyncio
import json
import sys
from typing import Any

import grpc
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from consumer.pb import api_pb2 as pb

PATH = "/behavioral_api.grpc.v1.BehavioralStreamingApi/DeepfakeDetection"


async def publish(call: Any, key: bytes, producer: AIOKafkaProducer, topic: str) -> None:
    """Results of one stream to the output topic."""
    async for message in call:
        for result in message.result:
            value = {
                "session": key.decode(),
                "start": float(result.start_time),
                "end": float(result.end_time),
                "label": result.final_label,
                "predictions": {p.label: float(p.posterior) for p in result.prediction},
            }
            await producer.send(topic, json.dumps(value).encode(), key=key)


async def main(brokers: str, target: str, topic: str, results: str, rate: int) -> None:
    """Consume until killed."""
    channel = grpc.aio.insecure_channel(target)
    method = channel.stream_stream(
        PATH,
        request_serializer=pb.AudioStream.SerializeToString,
        response_deserializer=pb.StreamResult.FromString,
    )
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=brokers, group_id="by-hand", auto_offset_reset="earliest"
    )
    producer = AIOKafkaProducer(bootstrap_servers=brokers)
    await consumer.start()
    await producer.start()
    streams: dict[bytes, Any] = {}
    readers: set[asyncio.Task[None]] = set()
    print("ready", flush=True)
    async for record in consumer:
        stream = streams.get(record.key)
        if record.value is None:
            if stream is not None:
                await streams.pop(record.key).done_writing()
            continue
        if stream is None:
            stream = streams[record.key] = method()
            config = pb.AudioConfig(sample_rate_hertz=rate, level=pb.segment)
            await stream.write(pb.AudioStream(cid=1, x_auth_token="t", config=config))
            task = asyncio.create_task(publish(stream, record.key, producer, results))
            readers.add(task)
            task.add_done_callback(readers.discard)
        await stream.write(pb.AudioStream(cid=1, x_auth_token="t", audio_content=record.value))


if __name__ == "__main__":
    _, servers, endpoint, source, output, hertz = sys.argv
    asyncio.run(main(servers, endpoint, source, output, int(hertz)))
