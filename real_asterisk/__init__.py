"""A real Asterisk to start, stop and kill, for the tests and the benchmarks."""
