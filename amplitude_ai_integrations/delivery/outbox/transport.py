"""Requests to Amplitude over one connection that is kept open.

The standard library's client: urllib3 would take longer to import than the whole of the official client.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - the first request would import it in the sender's thread, where a fork hurts
import time
from base64 import b64encode
from collections.abc import Iterable
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ssl import SSLError
from typing import Any, Final
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from ...config import AIConfig
from ...version import __version__
from .verdicts import Answer

TIMEOUT: Final = 10.0  # seconds for each step of a request
_WHOLE: Final = 30.0  # seconds for an answer that trickles
_LONGEST_ANSWER: Final = 4 * 1024 * 1024
_HOSTS: Final = {"US": "https://api2.amplitude.com", "EU": "https://api.eu.amplitude.com"}
_EVENTS: Final = "/2/httpapi"
_BATCH: Final = "/batch"
_HEADERS: Final = {
    "Content-Type": "application/json",
    "Accept": "*/*",
    "User-Agent": f"amplitude-ai-integrations/{__version__}",
}
_ESCAPED: Final = "/%:@!$&'()*+,;=~?[]"  # what may stand in a request's target as it is
ERRORS: Final = (OSError, HTTPException, ValueError)  # whatever a request can fail with


def endpoints(config: AIConfig) -> tuple[str, str]:
    """Return the URL for events, and the one that takes larger requests, which may be the same."""
    url = config.server_url or _HOSTS[config.server_zone]
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if not path:
        small = _BATCH if config.use_batch else _EVENTS
        return _with(parts, small), _with(parts, _BATCH)
    if path.endswith(_EVENTS):
        return url, _with(parts, path.removesuffix(_EVENTS) + _BATCH)
    return url, url


def _with(parts: SplitResult, path: str) -> str:
    return urlunsplit(parts._replace(path=path))


class Transport:
    """Posts bodies to one server; not for several threads at once."""

    def __init__(self, url: str, large_url: str) -> None:
        self._connection: HTTPConnection | None = None
        self._response: HTTPResponse | None = None
        self.timeout = TIMEOUT
        self._parts = urlsplit(url)
        self._url = url
        self._large_url = large_url
        self._is_absolute = False  # a proxy is told the whole address
        self._headers: dict[str, str] = {}

    @property
    def server(self) -> str:
        """The server's name, for people."""
        return self._parts.netloc.rpartition("@")[2]

    @property
    def has_large(self) -> bool:
        """Whether there is another endpoint for large requests."""
        return self._large_url != self._url

    def post(self, body: Iterable[bytes], *, is_large: bool = False) -> Answer:
        """Send a body and return the answer.

        Raises:
            OSError, HTTPException, ValueError: There was none, or it is none of HTTP.
        """
        url = self._large_url if is_large else self._url
        data = b"".join(body)
        was_open = self._connection is not None
        try:
            return self._exchange(url, data)
        except (ConnectionError, HTTPException, SSLError):
            # Servers close connections that have been idle; that tells nothing of this request.
            if not was_open:
                raise
            return self._exchange(url, data)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = self._response = None

    def abandon(self) -> None:
        """Let go of the connection in a forked child; the parent's end of it stays open.

        Not by closing it: a thread that the child does not have may have been reading, and have left the
        reader locked.
        """
        connection, response = self._connection, self._response
        self._connection = self._response = None
        if response is not None and response.fp is not None:
            reader: Any = response.fp
            reader.raw.close()  # it counts as closed now, and is not closed again when it is freed
            response.fp = None  # type: ignore[assignment] # as where it is closed
        if connection is not None and connection.sock is not None:
            connection.sock.close()

    def __del__(self) -> None:
        self.close()

    def _exchange(self, url: str, data: bytes) -> Answer:
        connection = self._connection or self._connect()
        is_kept = False
        try:
            if connection.sock is not None:
                connection.sock.settimeout(self.timeout)
            connection.request("POST", self._target(url), data, self._headers)
            with connection.getresponse() as response:
                if response.status < 200:  # one of several answers, of which this client knows only the last
                    raise HTTPException(f"an answer with the status {response.status}")
                body = bytearray()
                deadline = time.monotonic() + _WHOLE
                while part := response.read1(65536):
                    body += part
                    if len(body) > _LONGEST_ANSWER or time.monotonic() > deadline:
                        raise TimeoutError("the answer does not end")
                headers = {name.lower(): value for name, value in response.getheaders()}
                is_kept = not response.will_close
                return Answer(response.status, headers, bytes(body))
        finally:
            if not is_kept:
                self.close()

    def _connect(self) -> HTTPConnection:
        scheme, host, port = self._parts.scheme, self._parts.hostname or "", self._parts.port
        kind = HTTPSConnection if scheme == "https" else HTTPConnection
        proxy = _proxy(scheme, self._parts.netloc.rpartition("@")[2])
        self._is_absolute = False
        self._headers = dict(_HEADERS)
        if proxy is None:
            connection = kind(host, port, timeout=self.timeout)
        else:
            connection = kind(proxy.hostname or "", proxy.port, timeout=self.timeout)
            if scheme == "https":
                connection.set_tunnel(host, port, _authorization(proxy))
            else:
                self._is_absolute = True
                self._headers |= _authorization(proxy)
        connection.response_class = self._respond  # type: ignore[assignment] # it is called, and no more
        self._connection = connection
        return connection

    def _respond(self, *args: Any, **options: Any) -> HTTPResponse:
        self._response = HTTPResponse(*args, **options)
        return self._response

    def _target(self, url: str) -> str:
        parts = urlsplit(url)
        path, query = (quote(part, safe=_ESCAPED) for part in (parts.path or "/", parts.query))
        if self._is_absolute:
            host = parts.netloc.rpartition("@")[2]
            name = host if host.isascii() else host.encode("idna").decode()
            return urlunsplit((parts.scheme, name, path, query, ""))
        return urlunsplit(("", "", path, query, ""))


def _proxy(scheme: str, host: str) -> SplitResult | None:
    address = getproxies().get(scheme)
    if not address or proxy_bypass(host):
        return None
    return urlsplit(address if "//" in address else f"//{address}")


def _authorization(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + b64encode(login.encode()).decode()}
