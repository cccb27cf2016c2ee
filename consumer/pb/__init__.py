"""Generated protobuf code; the sources are in proto/."""
