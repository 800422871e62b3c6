"""Random and systematic sequences of calls and faults, in virtual time."""
