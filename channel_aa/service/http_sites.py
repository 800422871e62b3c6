"""Pages on endpoints that may change; those of one endpoint share a listener."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet.defer import DeferredLock
from twisted.web.http import NOT_FOUND

from channel_aa.http_server import HttpServer, Page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twisted.web.server import Request


class PageAt(NamedTuple):
    """A page, and where it is served.

    Attributes:
        page: the page.
        path: the first part of its path: ``metrics``; empty: that of all paths which
            no other page has.
        purpose: what clients request, for the log: ``status requests``.
        listen: of a server endpoint, as for `serverFromString`; empty: nowhere.
        hosts: names of this host in requests.
    """

    page: Page
    path: str
    purpose: str
    listen: str
    hosts: tuple[str, ...]


class HttpSites:
    """Serves pages.

    Args:
        reactor: the reactor to listen with.
    """

    def __init__(
        self,
        *,
        reactor: Any,  # noqa: ANN401 - IReactorTCP, IReactorUNIX and more at once
    ) -> None:
        self._reactor = reactor
        self._lock = DeferredLock()
        self._sites: dict[str, _Site] = {}

    async def serve(self, pages: Iterable[PageAt]) -> None:
        """Serve these pages, and no others.

        An error is logged, and not raised: calls matter more.
        """
        wanted: dict[str, list[PageAt]] = {}
        for each in pages:
            if each.listen:
                wanted.setdefault(each.listen, []).append(each)
        await self._lock.acquire()
        try:
            for listen in [*self._sites.keys() - wanted.keys()]:
                await self._sites.pop(listen).server.close()
            for listen, served in wanted.items():
                site = self._sites.setdefault(listen, _Site(self._reactor))
                await site.serve(listen, served)
        finally:
            self._lock.release()

    async def close(self) -> None:
        """Stop listening, and close all connections."""
        await self.serve(())


class _Site:
    def __init__(self, reactor: Any) -> None:  # noqa: ANN401 - several interfaces
        self._paths = _Paths()
        self.server = HttpServer(self._paths, purpose="", reactor=reactor)

    async def serve(self, listen: str, pages: list[PageAt]) -> None:
        self._paths.pages = {each.path: each.page for each in pages}
        self.server.purpose = " and ".join(each.purpose for each in pages)
        hosts = {name for each in pages for name in each.hosts}
        await self.server.listen(listen, hosts=hosts)


class _Paths(Page):
    """Chooses among pages by the first part of the path."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, Page] = {}

    def content(self, request: Request) -> bytes | int:
        """Return the content of the page, or 404."""
        path = [*(request.postpath or ()), b""][0].decode("ascii", "replace")
        page = self.pages.get(path) or self.pages.get("")
        if page is None:
            request.setResponseCode(NOT_FOUND)
            return b""
        return page.content(request)
