"""Wire messages to values and back: the only importers of the generated code besides the
gRPC adapters. ``*_from_wire`` raises ``MalformedMessage`` for what no peer of ours sends."""
