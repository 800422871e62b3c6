"""A simulated Asterisk: an ARI server, and callers to script.

For the demo, the commands, the tests and the benchmarks. It is built from what
Asterisk was seen to do, and shares no code with the ARI client or the attendant, so
that it does not share their errors. `channel_aa.simulator.in_memory` alone imports
the client, to connect one without sockets.
"""

from channel_aa.simulator.callers import HeardSound, SimulatedCaller
from channel_aa.simulator.channels import IChannelListener
from channel_aa.simulator.faults import Faults
from channel_aa.simulator.phone_behaviour import PhoneBehaviour, ScriptError
from channel_aa.simulator.script import parse_script
from channel_aa.simulator.simulated_phone import SimulatedPhone
from channel_aa.simulator.simulator import Simulator

__all__ = [
    "Faults",
    "HeardSound",
    "IChannelListener",
    "PhoneBehaviour",
    "ScriptError",
    "SimulatedCaller",
    "SimulatedPhone",
    "Simulator",
    "parse_script",
]
