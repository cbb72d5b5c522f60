"""gRPC towards scanner and policy: each file is one port's adapter, and survives their absence."""
