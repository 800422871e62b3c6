"""A real Asterisk for tests and benchmarks: processes, callers, a raw ARI client."""
