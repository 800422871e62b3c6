"""Properties of random inputs and random sequences of events, in memory."""
