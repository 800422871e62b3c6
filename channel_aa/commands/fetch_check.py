"""Checks that Asterisk fetches spoken texts, by playing one in an empty bridge."""

from __future__ import annotations

import wave
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.web.server import Site

from channel_aa.ari import AriClient, AriError, PlaybackEnd, Transport
from channel_aa.commands.findings import Findings, Topic
from channel_aa.server_endpoints import parse_endpoint, ready_to_listen
from channel_aa.service import address_of
from channel_aa.speech.engines import speech_folder
from channel_aa.speech.rendering import RENDERED
from channel_aa.speech.sound_page import SoundPage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twisted.internet.interfaces import IListeningPort

    from channel_aa.ari import Channel
    from channel_aa.settings import Settings, SpeechSettings

SECONDS = 20.0
"""The timeout; Asterisk itself gives up later."""

_FRAMES = 800
"""The length of the sound: 0.1 s."""


async def check_fetching(
    settings: Settings,
    *,
    reactor: Any,  # noqa: ANN401 - several interfaces
) -> Findings:
    """Let Asterisk play a spoken text in a bridge without channels.

    It uses an application of its own, and removes the bridge. If no daemon serves the
    texts, the check does meanwhile.

    Args:
        settings: the configuration, whose texts are spoken.
        reactor: the reactor.
    """
    found = Findings()
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        name = _make_sound(folder)
        try:
            served = await _serve(settings.speech, folder, reactor=reactor)
        except (CannotListenError, ValueError):
            served = None  # the daemon does
            name = _rendered(speech_folder(settings.speech))
        if not name:
            found.note(
                Topic.SPEECH,
                "speech.listen",
                "whether Asterisk can fetch spoken texts was not checked: none is"
                " rendered yet",
            )
            return found
        try:
            url = f"{_url(settings.speech, served)}/{name}"
            await _check(url, settings, found, reactor=reactor)
        finally:
            if served is not None:
                await maybeDeferred(served.stopListening)
    return found


async def _check(
    url: str,
    settings: Settings,
    found: Findings,
    *,
    reactor: Any,  # noqa: ANN401 - several interfaces
) -> None:
    playing = Deferred.fromCoroutine(_play(url, settings, reactor=reactor))
    try:
        end = await playing.addTimeout(SECONDS, reactor)
    except AriError as error:
        problem = f"whether Asterisk can fetch spoken texts was not checked: {error}"
        found.warning(Topic.SPEECH, "speech", problem)
        return
    except DeferredTimeoutError:
        end = PlaybackEnd.FAILED
    if end is PlaybackEnd.DONE:
        found.ok(Topic.SPEECH, f"Asterisk fetches spoken texts from {url}")
        return
    found.error(
        Topic.SPEECH,
        "speech.url" if settings.speech.url else "speech.listen",
        f"Asterisk could not fetch {url}, so callers hear no spoken text. Check that"
        " its host reaches that address, without a firewall or a proxy in between, and"
        " that res_http_media_cache.so and res_curl.so are loaded",
    )


async def _play(
    url: str,
    settings: Settings,
    *,
    reactor: Any,  # noqa: ANN401 - several interfaces
) -> PlaybackEnd:
    app = f"channel-aa-check-{token_hex(8)}"
    client = AriClient(
        address_of(settings.asterisk.replace(app=app)),
        on_call=_refuse,
        reactor=reactor,
        transport=Transport.HTTP,
    )
    client.startService()
    bridge = client.prepare_bridge(name="channel-aa check")
    try:
        await client.when_connected()
        await bridge.create()
        await client.api.applications.subscribe(
            application_name=app, event_source=f"bridge:{bridge.id}"
        )
        playback = bridge.play(f"sound:{url}")
        return await playback.finished
    finally:
        if client.is_connected:
            await bridge.destroy()
        await client.stopService()


async def _refuse(channel: Channel, _arguments: Sequence[str]) -> None:
    """No dialplan leads a call here."""
    await channel.continue_in_dialplan()


def _make_sound(folder: Path) -> str:
    """Write a short silence under a name that no Asterisk has fetched before."""
    name = f"{token_hex(32)}.wav"
    with wave.open(str(folder / name), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(2 * _FRAMES))
    return name


def _rendered(folder: Path) -> str:
    """Return the name of the shortest text that is rendered; empty: none is."""
    with suppress(OSError):
        files = [each for each in folder.iterdir() if RENDERED.fullmatch(each.name)]
        if files:
            shortest = min(files, key=lambda each: each.stat().st_size)
            return f"{shortest.name}?check={token_hex(8)}"
    return ""


async def _serve(
    speech: SpeechSettings,
    folder: Path,
    *,
    reactor: Any,  # noqa: ANN401 - several interfaces
) -> IListeningPort:
    endpoint = serverFromString(reactor, ready_to_listen(speech.listen))
    port: IListeningPort = await endpoint.listen(Site(SoundPage(lambda: folder)))
    return port


def _url(speech: SpeechSettings, served: IListeningPort | None) -> str:
    if speech.url:
        return speech.url.rstrip("/")
    port = parse_endpoint(speech.listen)[1][0]
    if served is not None:
        port = getattr(served.getHost(), "port", port)
    return f"http://127.0.0.1:{port}"
