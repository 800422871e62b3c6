"""Programs, and parts of the package, over real sockets on the simulator.

The tests of ``ari`` and ``attendant`` run a second time on a real Asterisk, by the
fixture ``backend``: they check this package's code, so they are here, and not in
`tests.contract`, which checks facts about Asterisk without this package's client.
"""
