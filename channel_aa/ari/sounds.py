"""Which sound files Asterisk has, and its language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channel_aa.ari.wire.errors import NotFoundError

if TYPE_CHECKING:
    from channel_aa.ari.client import AriClient

_NO_SUCH_SOUND = "Sound not found"
"""What Asterisk says. Without ``res_ari_sounds.so`` it says "Resource not found"."""


async def sound_languages(client: AriClient, name: str) -> frozenset[str] | None:
    """Return the languages that Asterisk has a sound file in.

    A file in no language's folder is for all of them: its language is empty.

    Args:
        client: sends the requests.
        name: the sound's name, without ``sound:``.

    Returns:
        Empty: there is no such file. ``None``: this Asterisk does not tell, because it
        has not loaded ``res_ari_sounds.so``.

    Raises:
        AriError: Asterisk answered with another error than 404, or not at all.
    """
    found = await _languages(client, name)
    folder, _, rest = name.rpartition("/")
    if found is None or found or not folder:
        return found
    # Asterisk takes a folder beside those of the languages for one of them.
    beside = await _languages(client, rest)
    return frozenset({""} if folder in (beside or ()) else ())


async def default_language(client: AriClient) -> str:
    """Return the language of channels that are set to none (asterisk.conf): ``en``.

    Raises:
        AriError: Asterisk answered with an error other than 404, or not at all.
    """
    try:
        answer: Any = await client.request("GET", "asterisk", "info")
    except NotFoundError:  # it has not loaded res_ari_asterisk.so
        return "en"
    config = answer.get("config") if isinstance(answer, dict) else None
    language = config.get("default_language") if isinstance(config, dict) else None
    return str(language or "en")


async def _languages(client: AriClient, name: str) -> frozenset[str] | None:
    try:
        answer: Any = await client.request("GET", "sounds", name)
    except NotFoundError as error:
        return frozenset() if error.message == _NO_SUCH_SOUND else None
    formats = answer.get("formats", ()) if isinstance(answer, dict) else ()
    return frozenset(str(each.get("language", "")) for each in formats)
