"""The tests, by what they need.

- ``unit`` mirrors the package; no sockets, no processes. ``unit/docs``,
  ``unit/benchmarks``, ``unit/real_asterisk`` and ``unit/support`` test the
  documentation, the benchmarks, the SIP phones and the tests' own support.
- ``integration``: programs and parts of the package on the simulator.
- ``contract``: facts about Asterisk, on the simulator and on a real Asterisk.
- ``end_to_end``: everything on a real Asterisk.
- ``properties``: random inputs and random sequences of events.
- ``support`` is what test modules share; they do not import one another.
"""

from hypothesis import HealthCheck, settings

# How long an example takes depends on how busy the machine is.
settings.register_profile(
    "channel-aa", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("channel-aa")
