"""Fakes for tests of spoken texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import implementer

from channel_aa.interfaces import ISpeech

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from twisted.internet.defer import Deferred

    from channel_aa.speech.rendering import Job


class FakeRenderer:
    """A renderer that the test lets finish.

    Attributes:
        jobs: what is to be rendered, in this order.
    """

    def __init__(self, done: Callable[[Job, str], None], *, reactor: object) -> None:
        self.jobs: list[Job] = []
        self._done = done

    @property
    def texts(self) -> list[str]:
        return [job.text for job in self.jobs]

    def render(self, job: Job, path: Path) -> None:
        self.jobs.append(job)

    def prefer(self, job: Job) -> None:
        self.jobs.remove(job)
        self.jobs.insert(0, job)

    def finish(self, error: str = "") -> None:
        """Finish the first job."""
        self._done(self.jobs.pop(0), error)

    async def stop(self) -> None:
        self.jobs.clear()


@implementer(ISpeech)
class FakeSpeech:
    """Has media for some texts and sounds.

    Args:
        texts: the media of texts; a ``Deferred`` for those that are not ready.
        instead: what is played instead of sounds that Asterisk is known to lack.
        after_failure: what is played instead of media that have failed.
    """

    def __init__(
        self,
        texts: Mapping[str, str | Deferred[str]] | None = None,
        *,
        instead: Mapping[str, tuple[str, ...]] | None = None,
        after_failure: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.languages: list[str] = []
        self._texts = texts or {}
        self._instead = instead or {}
        self._after_failure = after_failure or {}

    def media_of_text(self, text: str, language: str) -> str | Deferred[str]:
        self.languages.append(language)
        return self._texts.get(text, "")

    def media_of_sound(self, media: str, language: str) -> tuple[str, ...]:
        return self._instead.get(media, (media,))

    def playback_failed(self, media: str, language: str) -> tuple[str, ...] | None:
        return self._after_failure.get(media)
