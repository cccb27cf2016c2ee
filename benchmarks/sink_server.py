"""A detection API that only counts: the sink of the measurements, a process of its own.

It answers a segment for every two seconds of audio, so that results flow back as in real life.
"""

import asyncio
import sys
from collections.abc import AsyncIterator

import grpc

from consumer.pb import api_pb2 as pb


async def detect(
    requests: AsyncIterator[pb.AudioStream], _: object
) -> AsyncIterator[pb.StreamResult]:
    """Two-second segments while audio comes, one utterance at the end."""
    rate, heard, reported, number = 16_000, 0, 0, 0

    def result(end: int, level: pb.Level) -> pb.StreamResult:
        found = pb.InferenceResult(
            id=str(number),
            start_time=f"{reported / rate:.2f}",
            end_time=f"{end / rate:.2f}",
            task="deepfake",
            prediction=[
                pb.Prediction(label="bonafide", posterior="0.99", logit=""),
                pb.Prediction(label="spoofed", posterior="0.01", logit=""),
            ],
            final_label="bonafide",
            embedding="",
            level=level,
        )
        return pb.StreamResult(cid=1, pid=1, message_id=number, result=[found])

    async for request in requests:
        if request.HasField("config"):
            rate = request.config.sample_rate_hertz
            continue
        heard += len(request.audio_content) // 2
        while heard - reported >= 2 * rate:
            end = reported + 2 * rate
            yield result(end, pb.segment)
            reported, number = end, number + 1
    if heard > reported:
        yield result(heard, pb.segment)


async def main(port: int) -> None:
    """Serve until killed."""
    server = grpc.aio.server()
    handler = grpc.stream_stream_rpc_method_handler(
        detect,
        request_deserializer=pb.AudioStream.FromString,
        response_serializer=pb.StreamResult.SerializeToString,
    )
    name = "behavioral_api.grpc.v1.BehavioralStreamingApi"
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(name, {"DeepfakeDetection": handler}),)
    )
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
