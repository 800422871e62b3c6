"""Many callers at once, and the Asterisk that they call, in a process of its own.

Other than `channel_aa.simulator`, which knows all that an attendant may do, this
Asterisk knows what the benchmark needs, and is built to cost little: what is
measured must be the program under test, not its opposite.
"""
