"""The address of an Asterisk, the credentials, and the Stasis application."""

from __future__ import annotations

from base64 import b64encode
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from twisted.internet.endpoints import HostnameEndpoint

from channel_aa.ari.wire.concealment import concealer
from channel_aa.ari.wire.tls import TLS

if TYPE_CHECKING:
    from typing import Any

    from twisted.internet.interfaces import IStreamClientEndpoint

_DEFAULT_PORTS = {"http": 80, "https": 443}
_VERIFIED = TLS()


class Address:
    """The URL of an Asterisk's ARI, the credentials and the Stasis application.

    The password is kept in `authorization`, base64-encoded, and by `conceal`; no
    ``repr`` shows it.

    Args:
        url: the URL of Asterisk's HTTP server: ``http://localhost:8088``, followed by
            the ``prefix`` of http.conf if one is set.
        username: a user of ari.conf.
        password: that user's password.
        app: the Stasis application's name.
        tls: how the connection is secured, if the url's scheme is https.

    Raises:
        ValueError: the url has no host, a scheme other than http and https, or
            credentials, which would be logged with it.
    """

    def __init__(
        self, *, url: str, username: str, password: str, app: str, tls: TLS = _VERIFIED
    ) -> None:
        parts = urlsplit(url)
        if "@" in parts.netloc:
            raise ValueError(
                "the url contains credentials; pass them as username and password"
            )
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise ValueError(f"not the URL of an HTTP server: {url!r}")
        self.is_secure = parts.scheme == "https"
        self.host = parts.hostname
        self.port = parts.port or _DEFAULT_PORTS[parts.scheme]
        self.netloc = parts.netloc
        self.base_path = f"{parts.path.rstrip('/')}/ari"
        self.base_url = f"{parts.scheme}://{self.netloc}{self.base_path}"
        self.username = username
        self.app = app
        self.tls = tls
        credentials = f"{username}:{password}".encode()
        self.authorization = f"Basic {b64encode(credentials).decode('ascii')}"
        self._conceal = concealer(username, password)

    def __repr__(self) -> str:
        return f"<Address {self.base_url} app={self.app!r} username={self.username!r}>"

    def events_url(self, *further_apps: str) -> str:
        """Return the URL of the events websocket, without credentials.

        Args:
            further_apps: applications that are registered in addition to `app`.
        """
        scheme_and_rest = self.base_url.removeprefix("http")
        apps = ",".join((self.app, *further_apps))
        return f"ws{scheme_and_rest}/events?{urlencode({'app': apps}, safe=',@:')}"

    def conceal(self, text: str) -> str:
        """Remove the credentials from what a server sends; see `concealer`."""
        return self._conceal(text)

    def endpoint(self, reactor: Any) -> IStreamClientEndpoint:  # noqa: ANN401
        """Make the endpoint of Asterisk's HTTP server.

        Raises:
            ValueError: a file that `TLS` names cannot be used.
        """
        plain = HostnameEndpoint(reactor, self.host, self.port, timeout=10)
        if not self.is_secure:
            return plain
        return self.tls.endpoint(plain, host=self.host)

    @property
    def is_this_machine(self) -> bool:
        """Whether the host is this machine, so that traffic does not leave it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")
