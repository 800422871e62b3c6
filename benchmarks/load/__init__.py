"""A simulated Asterisk with many callers, in a process of its own.

Unlike `channel_aa.simulator`, it implements only what the benchmark needs, and uses
little CPU time, so that the program under test is what is measured.
"""
