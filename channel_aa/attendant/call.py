"""One call, from its entry into the application to its end."""

from __future__ import annotations

from inspect import CORO_RUNNING, getcoroutinestate
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred, DeferredList
from zope.interface import implementer

from channel_aa.attendant.call_events import (
    CallEnded,
    CallerIdentified,
    CallEvent,
    CallStarted,
    EndReason,
)
from channel_aa.attendant.context import (
    WITHHELD,
    CallContext,
    ConversationKeptError,
)
from channel_aa.attendant.deferreds import PausableTimer
from channel_aa.attendant.execute import ActionLoopError, execute_all
from channel_aa.attendant.exits import exit_to_dialplan, hang_up_at_limit
from channel_aa.attendant.forwards import ForwardLimitError, check_forwards
from channel_aa.attendant.navigation import split_return
from channel_aa.interfaces import ChannelGoneError, IChannelListener, TelephonyError
from channel_aa.logs import Logger
from channel_aa.menus.actions import REPEAT
from channel_aa.menus.flow import Start

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from typing import Any

    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from channel_aa.attendant.custom_actions import CustomAction
    from channel_aa.attendant.navigation import CallPlan
    from channel_aa.interfaces import IChannel, ISpeech

IDENTIFY_SECONDS = 1.0
"""How long after the start of a call to ask Asterisk whether the caller withholds the
number. The request must not delay the first sound."""

_log = Logger()


@implementer(IChannelListener)
class Call:
    """A call as one coroutine, which executes actions until the call exits.

    A hangup cancels the coroutine. What it waits for (a sound, a key, a timer, a
    request, a phone) cleans up in its own canceller.

    A call executes actions after `start`, and may be in a conversation meanwhile. It
    exits, for a reason, after `reject` and `exit_to_dialplan`, at its time limit, and
    after an error. It is over when the channel has left.

    Args:
        channel: the caller's channel.
        plan: the plan to follow.
        clock: the clock for its timers.
        arguments: those of the dialplan's ``Stasis(app,argument,…)``.
        custom_actions: what the embedding program registered, by name.
        on_change: called when a conversation begins or ends, and once when the
            channel has left the application.
        observers: called with each `CallEvent`.
        speech: speaks texts; ``None``: texts are left out.

    Attributes:
        channel: the caller's channel.
        context: what the actions work with.
        has_left: whether the channel has left the application. The call is over then.
    """

    def __init__(
        self,
        channel: IChannel,
        plan: CallPlan,
        *,
        clock: IReactorTime,
        arguments: Sequence[str],
        custom_actions: Mapping[str, CustomAction],
        on_change: Callable[[Call], None],
        observers: Sequence[Callable[[CallEvent], None]] = (),
        speech: ISpeech | None = None,
    ) -> None:
        self.channel = channel
        own_arguments, self._menus = split_return(arguments)
        self.context = CallContext(
            channel,
            plan,
            clock=clock,
            arguments=own_arguments,
            on_conversation=self._conversation_changed,
            observers=observers,
            speech=speech,
        )
        self.has_left = False
        self._clock = clock
        self._keypad = self.context.keypad
        self._custom_actions = custom_actions
        self._on_change = on_change
        self._exit_reason: EndReason | None = None
        self._time_limit = PausableTimer(
            clock, plan.flow.max_call_seconds, lambda: self._stop(EndReason.LIMIT)
        )
        self._coroutine: Coroutine[Deferred[Any], Any, Any] | None = None
        self._finished: Deferred[Any] | None = None
        self._identification: IDelayedCall | Deferred[None] | None = None

    # Called by the attendant.

    @property
    def is_in_conversation(self) -> bool:
        """Whether the caller speaks with a phone now."""
        return self.context.conversation is not None

    @property
    def takes_secret_keys(self) -> bool:
        """Whether keys in the call's current menu may be secret."""
        session = self.context.history.session
        return session is not None and bool(session.secret_keys)

    def start(self, *, is_adopted: bool = False) -> None:
        """Answer the call and execute its plan from the start.

        Args:
            is_adopted: whether the channel was in the application before.
        """
        self._time_limit.start()
        self._run(self._execute_plan(is_adopted=is_adopted))

    def reject(self, reason: EndReason) -> None:
        """Let the call continue in the dialplan without answering it.

        A call that is rejected because of an overload logs nothing: `OverloadLog` does.
        """
        if reason is not EndReason.OVERLOAD:
            _log.info(
                "{channel} continues in the dialplan: the attendant is {reason}",
                channel=self.channel.name,
                reason=reason.value,
            )
        self._exit_reason = reason
        self._emit_start(Start(REPEAT), is_adopted=False)
        self._run(self._exit())

    def exit_to_dialplan(self, reason: EndReason) -> Deferred[Any]:
        """Stop the call's actions, and let it continue in the dialplan.

        A conversation is kept connected instead: it needs no attendant until it ends.

        Args:
            reason: for the dialplan.

        Returns:
            Fires when Asterisk has answered, or the requests have timed out.
        """
        if self.is_in_conversation:
            _log.info("{channel} stays in its conversation", channel=self.channel.name)
            self._keep_conversation()
            self._exit_reason = reason
            self._mark_left()
        else:
            self._stop(reason)
        return DeferredList([] if self._finished is None else [self._finished])

    def detach(self) -> None:
        """End without a request; a conversation is kept connected."""
        self._keep_conversation()
        self._exit_reason = EndReason.REPLACED
        self.left()

    # Called by the channel; see `IChannelListener`.

    def dtmf_received(self, digit: str) -> None:
        """Press a key."""
        self._keypad.press(digit)

    def reconnected(self) -> None:
        """Repeat the menu if the caller was to press a key, which may be lost."""
        self._keypad.report_loss()

    def hung_up(self) -> None:
        """Cancel the coroutine."""
        self.context.is_hung_up = True
        self._stop_identification()
        self._cancel()

    def left(self) -> None:
        """End the call."""
        if self.has_left:
            return
        self.hung_up()
        self.context.entries.flush()
        if self._exit_reason is not EndReason.OVERLOAD:
            _log.info("{channel} has left the application", channel=self.channel.name)
        if self._keypad.ignored:
            _log.warn(
                "Ignored {count} keys that {channel} sent faster than a phone can",
                channel=self.channel.name,
                count=self._keypad.ignored,
            )
        self._mark_left()

    # The coroutine.

    async def _execute_plan(self, *, is_adopted: bool) -> None:
        try:
            context = self.context
            _log.info(
                "Adopted channel {channel}"
                if is_adopted
                else "Channel {channel} has entered the application",
                channel=self.channel.name,
            )
            start = self._start()
            self._emit_start(start, is_adopted=is_adopted)
            self._identification = self._clock.callLater(
                IDENTIFY_SECONDS, self._identify, start.route
            )
            await self._enter(is_adopted=is_adopted)
            await context.set_language(start.language)
            await execute_all(context, start.target, self._custom_actions)
        except (ChannelGoneError, ConversationKeptError):
            return
        except CancelledError:
            pass
        except TelephonyError as error:
            self._exit_reason = self._exit_reason or EndReason.ERROR
            # A hangup makes requests fail in several ways, some of them before its
            # event arrives. If the channel is gone, there is nothing to report.
            if await self._exit():
                _log.error(
                    "The call of {channel} failed: {error}",
                    channel=self.channel.name,
                    error=error,
                )
            return
        except ActionLoopError as error:
            self._exit_reason = self._exit_reason or EndReason.ERROR
            _log.error("{channel}: {error}", channel=self.channel.name, error=error)
        except ForwardLimitError as error:
            self._exit_reason = self._exit_reason or EndReason.LOOP
            _log.warn("{channel}: {error}", channel=self.channel.name, error=error)
        except Exception:  # noqa: BLE001 - one call's fault must not end another
            self._exit_reason = self._exit_reason or EndReason.ERROR
            _log.failure("The call of {channel} failed", channel=self.channel.name)
        else:
            return
        finally:
            self._time_limit.stop()
            self._stop_identification()
        await self._exit()

    def _start(self) -> Start:
        """Return to the menu that the caller has left, or find where a call begins."""
        context = self.context
        if context.history.restore(self._menus) is not None:
            return Start(REPEAT)
        if self._menus:
            _log.warn(
                "{channel} comes back to the menu {menu}, which is not in the"
                " configuration; the call begins as a new one",
                channel=self.channel.name,
                menu=self._menus[-1],
            )
        return context.plan.start(
            dialled=self.channel.dialled, arguments=context.arguments
        )

    async def _enter(self, *, is_adopted: bool) -> None:
        channel = self.channel
        await check_forwards(self.context)
        if not is_adopted:
            await channel.answer()
            return
        # The earlier run may have left it in any state.
        for request in (channel.stop_ringing, channel.stop_music, channel.answer):
            await self.context.try_request(
                request(),
                _log.warn,
                "Could not reset {channel} after adopting it: {error}",
            )

    async def _exit(self) -> bool:
        """Exit for the reason; return whether the channel was still there."""
        reason = self._exit_reason
        if reason is None:  # cancelled by a hangup
            return False
        if reason is EndReason.LIMIT:
            await hang_up_at_limit(self.context)
            return True
        return await exit_to_dialplan(self.context, reason)

    def _run(self, coroutine: Coroutine[Deferred[Any], Any, Any]) -> None:
        self._coroutine = coroutine
        self._finished = Deferred.fromCoroutine(coroutine)

    def _stop(self, reason: EndReason) -> None:
        """Cancel the coroutine, which exits then; the first reason counts."""
        if self._exit_reason is None:
            self._exit_reason = reason
            self._cancel()

    def _cancel(self) -> None:
        coroutine = self._coroutine
        if coroutine is not None and getcoroutinestate(coroutine) == CORO_RUNNING:
            # A coroutine can be cancelled only while it waits.
            self._clock.callLater(0, self._cancel)
        elif self._finished is not None:
            self._finished.cancel()

    def _keep_conversation(self) -> None:
        if self.context.conversation is not None:
            self.context.conversation.errback(ConversationKeptError())

    def _conversation_changed(self) -> None:
        if self.is_in_conversation:
            self._time_limit.stop()
        else:
            self._time_limit.start()
        self._on_change(self)

    def _emit_start(self, start: Start, *, is_adopted: bool) -> None:
        channel = self.channel
        self.context.emit(
            CallStarted,
            channel=channel.name,
            dialled=channel.dialled,
            arguments=tuple(self.context.arguments),
            language=start.language or channel.language,
            route=start.route,
            is_adopted=is_adopted,
        )

    def _identify(self, route: int | None) -> None:
        self._identification = Deferred.fromCoroutine(self._emit_caller(route))
        self._identification.addErrback(self._identification_failed)

    async def _emit_caller(self, route: int | None) -> None:
        channel = self.channel
        number = await self.context.caller_number()
        is_withheld = number == WITHHELD
        self.context.emit(
            CallerIdentified,
            channel=channel.name,
            number="" if is_withheld else number,
            name="" if is_withheld else channel.caller_name,
            is_withheld=is_withheld,
            dialled=channel.dialled,
            route=route,
        )

    def _identification_failed(self, failure: Failure) -> None:
        if not failure.check(ChannelGoneError, CancelledError):
            _log.failure(
                "Identifying the caller of {channel} failed",
                failure,
                channel=self.channel.name,
            )

    def _stop_identification(self) -> None:
        identification, self._identification = self._identification, None
        if isinstance(identification, Deferred) or (
            identification is not None and identification.active()
        ):
            identification.cancel()

    def _mark_left(self) -> None:
        self.has_left = True
        self._stop_identification()
        context = self.context
        context.emit(
            CallEnded,
            channel=self.channel.name,
            reason=self._exit_reason or context.end_reason or EndReason.CALLER,
            destination=context.destination,
            partner=context.partner,
            menus=tuple(context.history.names),
            cause=self.channel.hangup_cause,
        )
        self._on_change(self)
