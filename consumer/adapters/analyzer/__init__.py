"""The detection API by grpc.aio."""
