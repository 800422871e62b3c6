"""How much a call costs, and how soon a key is heeded: measured, on this machine.

``benchmarks/run`` is the one command; ``docs/performance.md`` says what it measures.
"""
