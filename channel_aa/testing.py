"""An attendant for tests: on a simulated Asterisk, in memory and in virtual time.

In trial, and in pytest likewise::

    class OrderTests(SynchronousTestCase):
        def test_order_is_looked_up(self):
            attendant = SimulatedAttendant(SETTINGS, actions={"look-up": look_up})
            self.addCleanup(attendant.stop)
            caller = attendant.call("hear welcome, press 1, ended")
            self.assertEqual(attendant.heard(caller)[-1], "on-its-way")

Nothing waits for real time: the methods move the clock to what happens next. So what a
custom action waits for has to happen on that clock (`SimulatedAttendant.clock`), or in
the test: a thread (``adbapi``, ``deferToThread``), a socket or the global reactor's
``callLater`` does not. Give the action a fake of these, or test it on the global
reactor with a `Simulator` that listens on a port.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

from twisted.internet.task import Clock
from zope.interface import implementer

from channel_aa.interfaces import ISpeech
from channel_aa.service import AttendantService
from channel_aa.settings import Secret, Settings
from channel_aa.simulator import Simulator
from channel_aa.simulator.in_memory import InMemoryLink, pass_time, wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from twisted.internet.defer import Deferred

    from channel_aa.attendant.custom_actions import CustomAction
    from channel_aa.simulator import PhoneBehaviour, SimulatedCaller

__all__ = ["SimulatedAttendant", "SimulatedSpeech"]

T = TypeVar("T")

PATIENCE = 3600.0
"""How many seconds of virtual time a method waits at most."""

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
"""When the attendant is started, unless another time is given: a Monday."""


@implementer(ISpeech)
class SimulatedSpeech:
    """Speaks every text, in a sound of its own.

    Attributes:
        texts: each text in quotes, by the name of its sound.
    """

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def media_of_text(self, text: str, language: str) -> str:
        """Return a sound for a text."""
        del language
        shown = text.replace('"', "'")
        name = f"text-{sha256(text.encode()).hexdigest()}"
        self.texts[name] = f'"{shown}"'
        return f"sound:{name}"

    def media_of_sound(self, media: str, language: str) -> tuple[str, ...]:
        """Return the sound itself: every sound exists."""
        del language
        return (media,)

    def playback_failed(self, media: str, language: str) -> None:
        """Do nothing."""


class SimulatedAttendant:
    """An attendant that serves calls of a simulated Asterisk.

    Args:
        settings: the configuration; by default the default menu. Its texts are heard as
            sounds of their own, without an engine.
        actions: the custom actions.
        phones: how phones behave, by endpoint, in the words of
            `channel_aa.simulator.phone_behaviour`: ``{"PJSIP/410": "busy"}``. Others
            answer.
        now: when it is started, with a time zone.

    Attributes:
        clock: the clock of everything.
        simulator: the simulated Asterisk.
        service: the attendant, which is connected.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        actions: Mapping[str, CustomAction] | None = None,
        phones: Mapping[str, PhoneBehaviour | str] | None = None,
        now: datetime = NOON,
    ) -> None:
        self.clock = Clock()
        self.clock.advance(now.timestamp())
        self.simulator = Simulator(
            reactor=self.clock, phones={**(phones or {}), "*": "answers"}
        )
        self._speech = SimulatedSpeech()
        settings = settings or Settings()
        username, password = self.simulator.credentials
        user = {"username": username, "password": Secret(password)}
        self.service = AttendantService(
            settings.replace(
                asterisk=settings.asterisk.replace(**user),
                speech=settings.speech.replace(engine=("none",)),
            ),
            reactor=self.clock,
            actions=actions or {},
            now=lambda: datetime.fromtimestamp(self.clock.seconds(), now.tzinfo),
            speech=self._speech,
            make_client=InMemoryLink(self.simulator, clock=self.clock).make_client,
        )
        self.service.startService()
        pass_time(self.clock, until=lambda: self._is_connected, seconds=PATIENCE)

    @property
    def _is_connected(self) -> bool:
        return self.service.is_connected and bool(self.service.client.asterisk_version)

    def call(self, script: str = "", **options: Any) -> SimulatedCaller:  # noqa: ANN401 - passed on
        """Place a call, and run the script of its caller.

        Args:
            script: what the caller does, in the words of
                `channel_aa.simulator.script`: ``hear welcome, press 1, ended``. It can
                wait for sounds, not for texts.
            **options: those of `Simulator.call`: ``extension``, ``caller_number``, ….

        Raises:
            ScriptError: what the script waits for does not happen.
        """
        options.setdefault("app", self.service.settings.asterisk.app)
        caller = self.simulator.call(**options)
        if script:
            self.run(caller, script)
        return caller

    def run(self, caller: SimulatedCaller, script: str) -> None:
        """Let a caller go on; see `call`."""
        self.wait_for(caller.run(script))

    def wait_for(self, deferred: Deferred[T]) -> T:
        """Let time pass until a Deferred has fired; return its result."""
        return wait_for(self.clock, deferred, seconds=PATIENCE)

    def heard(self, caller: SimulatedCaller) -> list[str]:
        """Return what a caller has heard so far: names of sounds, texts in quotes."""
        names = (each.media.removeprefix("sound:") for each in caller.heard)
        return [self._speech.texts.get(name, name) for name in names]

    def stop(self) -> None:
        """Stop the attendant: each test has to, so that no timer is left."""
        self.simulator.forget()
        self.wait_for(self.service.stopService())
