"""Measures the cost of calls, and the response time to keys, on this machine.

``benchmarks/run`` is the command; ``docs/performance.md`` describes the measurements.
"""
