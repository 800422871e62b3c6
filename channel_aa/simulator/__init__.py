"""An Asterisk that is not there: an ARI server on real sockets, callers to script.

For the demo, the tests and the benchmarks. It is built from what Asterisk was
seen to do, and shares no code with the ARI client or the attendant: neither can
make it wrong in the same way as themselves.
"""

from channel_aa.simulator.callers import HeardSound, ICallObserver, SimulatedCaller
from channel_aa.simulator.faults import Faults
from channel_aa.simulator.grammar import ScriptError
from channel_aa.simulator.phone_behaviour import PhoneBehaviour
from channel_aa.simulator.script import parse_script
from channel_aa.simulator.simulator import Simulator

__all__ = [
    "Faults",
    "HeardSound",
    "ICallObserver",
    "PhoneBehaviour",
    "ScriptError",
    "SimulatedCaller",
    "Simulator",
    "parse_script",
]
