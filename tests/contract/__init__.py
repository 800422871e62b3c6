"""Facts about Asterisk that the client relies on, and that the simulator imitates.

Each test runs on the simulator and on a real Asterisk, by the fixture ``backend``, and
uses neither the client nor the attendant.
"""
