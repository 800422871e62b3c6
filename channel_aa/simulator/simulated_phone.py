"""A phone while it is dialled, and in a call."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from zope.interface import implementer

from channel_aa.simulator.channel_state import ChannelSetup
from channel_aa.simulator.channels import HANGUP_NORMAL, IChannelListener
from channel_aa.simulator.dialplan import CallerId, write_variable
from channel_aa.simulator.phone_behaviour import PhoneBehaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.internet.interfaces import IDelayedCall

    from channel_aa.simulator.channels import Channel
    from channel_aa.simulator.state import PbxState

_NO_ANSWER, _REJECTED, _ANSWERED_ELSEWHERE, _UNKNOWN = 19, 21, 26, 0
_SOFT_HANGUP = 32
_REFUSALS = {
    "busy": ("BUSY", 17),
    "congested": ("CONGESTION", 34),
    "declines": ("NOANSWER", _REJECTED),
    "unallocated": ("NOANSWER", 1),
}
"""The ``dialstatus`` of `Dial`, and the cause (Q.850)."""


@implementer(IChannelListener)
class SimulatedPhone:
    """A phone that an application dials, and its channel.

    Args:
        setup: what its channel begins with.
        behaviour: how it behaves; None: there is no such phone.
        endpoint: what is dialled: ``PJSIP/410``.
        application: the application that its channel enters when it is answered.
        arguments: with these arguments.

    Attributes:
        heard: what was heard there, in order: ``voice:PJSIP/alice``.
        outcome: how the call ended; empty until then.
    """

    def __init__(
        self,
        state: PbxState,
        setup: ChannelSetup,
        behaviour: PhoneBehaviour | None,
        *,
        endpoint: str,
        application: str,
        arguments: Sequence[str],
    ) -> None:
        technology, _, resource = endpoint.partition("/")
        self.endpoint = endpoint
        self.heard: list[str] = []
        self.outcome = ""
        self.channel = state.new_channel(setup, self)
        self.channel.app_name, self.channel.app_data = "AppDial2", "(Outgoing Line)"
        self._state = state
        self._behaviour = behaviour
        # A Local channel ends the same way whatever its far end does.
        self._is_local = technology == "Local"
        self._dialled = resource
        self._application = application
        self._arguments = arguments
        self._timers: list[IDelayedCall] = []
        self._is_dialled = False
        self._is_created = False
        self._is_third = False
        self._dial_status = "NOANSWER"
        subscriber = state.bus.applications.get(application)
        if subscriber is not None:
            self.channel.subscribe(subscriber)

    def dial(self, timeout: float) -> None:
        """Dial it; given up after ``timeout`` seconds, 0 or less: never."""
        self.channel.on_hangup = self._stop if self._is_created else self._end_dialling
        self._later(0.0, self._begin)
        if timeout > 0:
            self._later(timeout, self._give_up)

    def create(self) -> None:
        """Let its channel enter the application; `dial` follows."""
        self._is_created = True
        self._later(0.0, lambda: self.channel.enter(self._application, self._arguments))

    def press(self, keys: str) -> None:
        """Press keys."""
        for key in keys:
            self.channel.press(key)

    def answer(self) -> None:
        """Pick it up."""
        if not self._is_dialled or self.channel.is_hung_up:
            return
        self._stop()
        self.channel.change_state("Up")
        self._publish_dial("ANSWER")
        self._is_dialled = False
        if not (self._is_created or self._is_third):
            self.channel.enter(self._application, self._arguments)
        behaviour = self._behaviour
        if behaviour is not None and behaviour.keys:
            self._later(0.0, lambda: self.press(behaviour.keys))
        if behaviour is not None and behaviour.hangs_up_after is not None:
            self._later(behaviour.hangs_up_after, self.hang_up)

    def hang_up(self) -> None:
        """Hang up; while it rings, that declines the call."""
        cause = _REJECTED if self._is_dialled else HANGUP_NORMAL
        self.channel.hang_up(outcome="hung up by phone", cause=cause)

    def transfer(self, endpoint: str, *, attended: bool = False) -> SimulatedPhone:
        """Transfer the other party of the conversation to a phone; see `transfer`."""
        return transfer(self._state, self.channel, endpoint, attended=attended)

    def be_picked_up(self, endpoint: str) -> SimulatedPhone:
        """Let another phone pick up the call that rings here.

        Raises:
            ValueError: none does.
        """
        if not self._is_dialled:
            raise ValueError(f"no call rings at {self.endpoint}")
        self._is_dialled = False
        self._stop()
        setup = ChannelSetup(
            name=f"{endpoint}-",
            state="Up",
            extension="s",
            caller=CallerId(number=endpoint.partition("/")[2]),
            connected=self.channel.connected,
        )
        other = SimulatedPhone(
            self._state,
            setup,
            None,
            endpoint=endpoint,
            application=self._application,
            arguments=self._arguments,
        )
        other.channel.enter(self._application, self._arguments)
        self.channel.hang_up(
            outcome=f"picked up by {endpoint}",
            cause=HANGUP_NORMAL,
            is_soft=True,
            final_cause=_ANSWERED_ELSEWHERE,
        )
        return other

    def take_place_of(self, channel: Channel) -> None:
        """Take a channel's place, which ends: be the third party of its transfer."""
        channel.replace_with(self.channel)
        self._is_third = True
        write_variable(self.channel, "CALLERID(num)", self._dialled)
        self._begin()
        channel.hang_up(outcome=f"transferred to {self.endpoint}", cause=HANGUP_NORMAL)

    def sound_started(self, media: str) -> None:
        """Hear a sound begin."""
        self.heard.append(media)
        behaviour = self._behaviour
        if behaviour and behaviour.transfers_to and media.startswith("voice:"):
            self._later(behaviour.transfers_after, self._transfer)

    def sound_ended(self, media: str, how: str) -> None:
        """Hear it end."""

    def channel_gone(self, outcome: str) -> None:
        """Learn that the call is over."""
        self._stop()
        self.outcome = outcome

    def _begin(self) -> None:
        behaviour = self._behaviour
        if behaviour is None:
            self._vanish("no such phone", _UNKNOWN)
            return
        self._is_dialled = True
        if not self._is_third:
            self._publish_dial("")
        rings_for = (
            behaviour.refuses_after if behaviour.refusal else behaviour.answers_after
        )
        if rings_for != 0.0 and not behaviour.is_silent:
            self.channel.change_state("Ringing")
            self._publish_dial("RINGING")
        if behaviour.has_early_media:
            self._publish_dial("PROGRESS")
        if behaviour.picked_up_by:
            self._later(
                rings_for or 0.0, lambda: self.be_picked_up(behaviour.picked_up_by)
            )
            return
        if behaviour.refusal:
            refuse = partial(self._refuse, behaviour.refusal)
            self._later(behaviour.refuses_after, refuse)
        elif behaviour.answers_after is not None:
            by = behaviour.picked_up_by
            answer = partial(self.be_picked_up, by) if by else self.answer
            self._later(behaviour.answers_after, answer)

    def _refuse(self, refusal: str) -> None:
        self._dial_status, cause = _REFUSALS[refusal]
        if self._is_local and self._dial_status != "NOANSWER":
            self._publish_dial(self._dial_status)
            if not self._is_created:
                self._vanish(refusal, _UNKNOWN)
                return
        self.channel.hang_up(outcome=refusal, cause=cause)

    def _transfer(self) -> None:
        if self._behaviour and self.channel.bridge:
            self.transfer(self._behaviour.transfers_to)

    def _give_up(self) -> None:
        self._vanish("not answered", _NO_ANSWER)

    def _vanish(self, outcome: str, cause: int) -> None:
        self._is_dialled = False
        self._stop()
        if self._is_created:
            self.channel.hang_up(
                outcome=outcome,
                cause=_SOFT_HANGUP,
                is_soft=True,
                final_cause=cause or HANGUP_NORMAL,
            )
        else:
            self.channel.hang_up(outcome=outcome, cause=None, final_cause=cause)

    def _end_dialling(self) -> None:
        if self._is_dialled:
            self._is_dialled = False
            self._stop()
            self._publish_dial(self._dial_status)

    def _publish_dial(self, status: str) -> None:
        self.channel.send_event(
            "Dial",
            dialstatus=status,
            forward="",
            dialstring="" if self._is_third else self._dialled,
            peer=self.channel.snapshot(),
        )

    def _later(self, seconds: float, call: Callable[[], object]) -> None:
        self._timers.append(self._state.timers.later(seconds, call))

    def _stop(self) -> None:
        timers, self._timers = self._timers, []
        for timer in timers:
            self._state.timers.cancel(timer)


def transfer(
    state: PbxState, channel: Channel, endpoint: str, *, attended: bool
) -> SimulatedPhone:
    """Let a party of a conversation transfer the other one to a phone.

    The phone takes its place, as the near half of a Local channel, and its call ends.

    Args:
        state: where both are.
        channel: the party's channel.
        endpoint: the phone: ``PJSIP/411``.
        attended: whether the phone has answered before; else it is dialled now.

    Raises:
        ValueError: the channel is in no bridge.
    """
    if channel.bridge is None:
        raise ValueError(f"{channel.name} is in no bridge, and cannot transfer")
    number = endpoint.partition("/")[2]
    extension, context = ("_attended", "transfer") if attended else (number, "default")
    setup = ChannelSetup(
        name=f"Local/{extension}@{context}-;1",
        state="Down",
        context=context,
        extension=extension,
        caller=CallerId(number=number if attended else ""),
    )
    behaviour = PhoneBehaviour() if attended else state.phones.find(endpoint)
    phone = SimulatedPhone(
        state, setup, behaviour, endpoint=endpoint, application="", arguments=()
    )
    phone.take_place_of(channel)
    return phone
