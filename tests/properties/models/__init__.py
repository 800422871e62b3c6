"""A model of all interleavings: whole lives of calls in virtual time."""
