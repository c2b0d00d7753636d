"""Requests to your other services take the session along: one helper for each HTTP client, none by itself."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin, urlsplit

from .context import get_active_context
from .exceptions import ConfigurationError, shielded
from .propagation import inject_context
from .web.handing import know_so_far

if TYPE_CHECKING:
    from aiohttp import TraceConfig

__all__ = ["propagate_aiohttp", "propagate_httpx", "propagate_requests"]

C = TypeVar("C")
_MARK = "amplitude_ai"
_REDIRECTED = "amplitude_ai_redirected"


def propagate_requests(session: C) -> C:
    """Let each request of a ``requests.Session`` take the current session, trace and agent along in its
    headers, and return it: ``session = propagate_requests(requests.Session())``.

    A redirect to another host takes nothing along, nor does anything ever take the user's id.

    Raises:
        ConfigurationError: It is no ``requests.Session``.
    """
    owner: Any = session
    if not callable(getattr(owner, "rebuild_auth", None)):
        raise _wrong("propagate_requests", "a requests.Session", session)
    if _MARK not in vars(owner):
        setattr(owner, _MARK, True)
        owner.send = _sending(owner.send)
        owner.rebuild_auth = _redirecting(owner.rebuild_auth)
    return session


def propagate_httpx(client: C) -> C:
    """Let each request of a ``Client`` or ``AsyncClient`` (``httpx`` or ``httpx2``) take the current session,
    trace and agent along in its headers, and return it: ``client = propagate_httpx(httpx.Client())``.

    A redirect to another host takes nothing along, nor does anything ever take the user's id.

    Raises:
        ConfigurationError: It is no client of these packages.
    """
    hooks = getattr(client, "event_hooks", None)
    if not isinstance(hooks, dict) or "request" not in hooks:
        raise _wrong("propagate_httpx", "a Client or AsyncClient of httpx", client)
    hook = _before_httpx_later if hasattr(client, "aclose") else _before_httpx
    if hook not in hooks["request"]:
        hooks["request"].append(hook)
    return client


def propagate_aiohttp() -> TraceConfig:
    """Return what lets each request of an aiohttp session take the current session, trace and agent along in
    its headers: ``ClientSession(trace_configs=[propagate_aiohttp()])``.

    A redirect to another host takes nothing along, nor does anything ever take the user's id.

    Raises:
        ImportError: aiohttp is not installed.
    """
    try:
        from aiohttp import TraceConfig
    except ImportError as error:
        raise ImportError("propagate_aiohttp() needs aiohttp: pip install aiohttp") from error
    tracing = TraceConfig()
    tracing.on_request_start.append(_before_aiohttp)
    tracing.on_request_redirect.append(_before_aiohttp_redirect)
    return tracing


def _add(headers: MutableMapping[str, str]) -> tuple[str, ...]:
    """Add what travels to the headers of a request, and return the names that were added."""
    active = get_active_context()
    if active is None:
        return ()
    know_so_far(active.conversation)
    given = {name.lower() for name in headers}
    added = inject_context(dict.fromkeys(given, ""))
    ours = {name: value for name, value in added.items() if name not in given}
    headers.update(ours)
    return tuple(ours)


def _remove(headers: MutableMapping[str, str], names: tuple[str, ...]) -> None:
    for name in names:
        headers.pop(name, None)


def _is_elsewhere(url: str, from_url: str) -> bool:
    """Tell whether a redirect leads to another host, or leaves encryption behind."""
    here, there = urlsplit(from_url), urlsplit(url)
    is_opened = here.scheme == "https" and there.scheme != "https"
    return is_opened or (here.hostname, here.port) != (there.hostname, there.port)


def _sending(send: Callable[..., Any]) -> Callable[..., Any]:
    def send_on(request: Any, **options: Any) -> Any:
        ours = request
        with shielded("outgoing headers"):
            before = getattr(request, _MARK, ())
            is_redirected = vars(request).pop(_REDIRECTED, False)
            if not is_redirected and (before or get_active_context() is not None):
                # A copy, since the caller may send this one again, in another session.
                ours = request.copy()
                _remove(ours.headers, before)
                setattr(ours, _MARK, _add(ours.headers))
        return send(ours, **options)

    return send_on


def _redirecting(rebuild_auth: Callable[..., Any]) -> Callable[..., Any]:
    def rebuild(request: Any, response: Any) -> Any:
        with shielded("outgoing headers"):
            names = getattr(response.request, _MARK, None)
            if names is not None:
                setattr(request, _MARK, names)
                setattr(request, _REDIRECTED, True)  # which says that nothing more is to be added
                if _is_elsewhere(request.url, response.request.url):
                    _remove(request.headers, names)
        return rebuild_auth(request, response)

    return rebuild


def _before_httpx(request: Any) -> None:
    with shielded("outgoing headers"):
        url = str(request.url)
        first, names = request.extensions.get(_MARK, (url, ()))  # which a redirect keeps
        _remove(request.headers, names)
        if not _is_elsewhere(url, first):
            request.extensions[_MARK] = (first, _add(request.headers))


async def _before_httpx_later(request: Any) -> None:
    _before_httpx(request)


async def _before_aiohttp(_session: Any, request: Any, params: Any) -> None:
    with shielded("outgoing headers"):
        request.names = _add(params.headers)


async def _before_aiohttp_redirect(_session: Any, request: Any, params: Any) -> None:
    with shielded("outgoing headers"):
        url = str(params.response.url)
        there = params.response.headers.get("Location") or params.response.headers.get("URI") or ""
        if _is_elsewhere(urljoin(url, there), url):
            _remove(params.headers, getattr(request, "names", ()))


def _wrong(helper: str, wanted: str, given: object) -> ConfigurationError:
    return ConfigurationError(f"{helper}() takes {wanted}, not {type(given).__name__}.")
