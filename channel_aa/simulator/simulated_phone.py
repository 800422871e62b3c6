"""A telephone while it is rung and spoken with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import implementer

from channel_aa.simulator.channels import HANGUP_NORMAL
from channel_aa.simulator.interfaces import IChannelListener

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from channel_aa.simulator.caller_id import CallerId
    from channel_aa.simulator.phone_behaviour import PhoneBehaviour
    from channel_aa.simulator.state import PbxState
    from channel_aa.simulator.timers import Timer

_NO_ANSWER, _REJECTED, _UNKNOWN = 19, 21, 0
_REFUSALS = {
    "busy": ("BUSY", 17),
    "congested": ("CONGESTION", 34),
    "declines": ("NOANSWER", _REJECTED),
    "unallocated": ("NOANSWER", 1),
}
"""The status that `Dial` tells, and the cause after Q.850."""


@implementer(IChannelListener)
class SimulatedPhone:
    """Somebody whose telephone is rung for an application.

    Args:
        world: where it is.
        phone: how it behaves; None: there is no such telephone.
        endpoint: what is dialled: ``PJSIP/410``.
        channel_id: the id of its channel; empty: any.
        application: the application that it enters once it is answered.
        arguments: with these arguments.
        shows: who is calling, as it shows.
        language: the language of its channel.
        variables: its channel's variables.

    Attributes:
        channel: its channel.
        heard: what is heard there, one after the other: ``voice:PJSIP/alice``.
        outcome: how it ended; empty until then.
    """

    def __init__(
        self,
        world: PbxState,
        phone: PhoneBehaviour | None,
        *,
        endpoint: str,
        channel_id: str,
        application: str,
        arguments: Sequence[str],
        shows: CallerId,
        language: str,
        variables: Mapping[str, str],
    ) -> None:
        technology, _, resource = endpoint.partition("/")
        extension, _, context = resource.partition("@")
        self.endpoint = endpoint
        self.shows = shows
        self.heard: list[str] = []
        self.outcome = ""
        self.channel = world.new_channel(
            channel_id=channel_id,
            name=f"{endpoint}-",
            state="Down",
            extension=extension,
            context=context or "default",
            listener=self,
            caller=shows,
            connected=shows,
            language=language,
            variables=variables,
        )
        self.channel.app_name, self.channel.app_data = "AppDial2", "(Outgoing Line)"
        self._world = world
        self._phone = phone
        # A Local channel just ends, whatever it is that ends it.
        self._is_local = technology == "Local"
        self._dialled = resource
        self._application = application
        self._arguments = arguments
        self._timers: list[Timer] = []
        self._is_dialled = False
        self._became = "NOANSWER"

    def ring(self, timeout: float) -> None:
        """Begin; it is given up after ``timeout`` seconds, 0 or less: never."""
        application = self._world.applications.get(self._application)
        if application is not None:
            self._world.watch(application, self.channel)
        self.channel.when_hung_up = self._dialling_over
        self._later(0.0, self._begin)
        if timeout > 0:
            self._later(timeout, self._give_up)

    def press(self, keys: str) -> None:
        """Press keys, once it is answered."""
        for key in keys:
            self.channel.press(key)

    def answer(self) -> None:
        """Pick it up."""
        if not self._is_dialled or self.channel.is_hung_up:
            return
        self._stop()
        self.channel.change_state("Up")
        self._tell("ANSWER")
        self._is_dialled = False
        self.channel.enter(self._application, self._arguments)
        phone = self._phone
        if phone is not None and phone.keys:
            self._later(0.0, lambda: self.press(phone.keys))
        if phone is not None and phone.hangs_up_after is not None:
            self._later(phone.hangs_up_after, self.hang_up)

    def hang_up(self) -> None:
        """Hang it up; while it rings, that pushes the call away."""
        cause = _REJECTED if self._is_dialled else HANGUP_NORMAL
        self.channel.hang_up(
            outcome="hung up by telephone",
            cause=cause,
            is_soft=False,
            final_cause=cause,
        )

    def sound_started(self, media: str) -> None:
        """Hear a sound begin."""
        self.heard.append(media)

    def sound_ended(self, media: str, how: str) -> None:
        """Hear it end."""

    def channel_gone(self, outcome: str) -> None:
        """Learn that it is over."""
        self._stop()
        self.outcome = outcome
        self._world.telephone_gone(self)

    def _begin(self) -> None:
        phone = self._phone
        if phone is None:
            self._vanish("no such telephone", _UNKNOWN)
            return
        self._is_dialled = True
        self._tell("")
        rings_for = phone.refuses_after if phone.refusal else phone.answers_after
        if rings_for != 0.0 and not phone.is_silent:
            self.channel.change_state("Ringing")
            self._tell("RINGING")
        if phone.refusal:
            self._later(phone.refuses_after, self._refuse)
        elif phone.answers_after is not None:
            self._later(phone.answers_after, self.answer)

    def _refuse(self) -> None:
        refusal = self._phone.refusal if self._phone is not None else ""
        self._became, cause = _REFUSALS[refusal]
        if self._is_local and self._became != "NOANSWER":
            self._tell(self._became)
            self._vanish(refusal, _UNKNOWN)
            return
        self.channel.hang_up(
            outcome=refusal, cause=cause, is_soft=False, final_cause=cause
        )

    def _give_up(self) -> None:
        self._vanish("not answered", _NO_ANSWER)

    def _vanish(self, outcome: str, cause: int) -> None:
        self._is_dialled = False
        self._stop()
        self.channel.vanish(outcome=outcome, cause=cause)

    def _dialling_over(self) -> None:
        if self._is_dialled:
            self._is_dialled = False
            self._stop()
            self._tell(self._became)

    def _tell(self, status: str) -> None:
        event = {
            "dialstatus": status,
            "forward": "",
            "dialstring": self._dialled,
            "peer": self.channel.snapshot(),
        }
        self._world.publish("Dial", event, to=self.channel.hearers)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        self._timers.append(self._world.timers.later(seconds, call))

    def _stop(self) -> None:
        timers, self._timers = self._timers, []
        for timer in timers:
            timer.cancel()
