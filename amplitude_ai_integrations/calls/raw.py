"""Answers that the caller takes as raw HTTP responses, whole or as they stream."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ..exceptions import shielded
from .observation import Observation

Observe = Callable[[Any, Observation], None]
Decoder = Callable[[], Any]

_HEADER = "x-stainless-raw-response"
_MOST = 20_000_000  # bytes of a body that are kept to be read at its end


def is_raw(headers: Any) -> bool:
    """Tell by a request's headers whether the caller asked for the raw response."""
    return hasattr(headers, "items") and any(name.lower() == _HEADER for name in headers)


def observe_raw(response: Any, observation: Observation, observe: Observe, decoder: Decoder) -> None:
    """Observe a raw response: through its body if that is here, else when it is parsed, read or closed.

    ``decoder`` makes what takes the events out of a body that streams.
    """
    http = response.http_response
    if hasattr(http, "_content"):
        _whole(http, http.content, observation, decoder, is_read=True)
        return
    body = _Body(http, observation, decoder)
    _observe_parsed(response, body, observation, observe)


class _Body:
    """The body of a response that the caller reads piece by piece; it is looked at when that ends."""

    def __init__(self, http: Any, observation: Observation, decoder: Decoder) -> None:
        self.is_parsed = False
        self._http = http
        self._observation = observation
        self._decoder = decoder
        self._pieces: list[bytes] = []
        self._size = 0
        self._is_pulling = False
        self._is_read = False
        self._own = {name: getattr(http, name) for name in ("close", "aclose", "iter_bytes", "aiter_bytes")}
        http.iter_bytes = self._iter_bytes
        http.aiter_bytes = self._aiter_bytes
        http.close = self._close
        http.aclose = self._aclose

    def _iter_bytes(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        pieces = self._own["iter_bytes"](*args, **kwargs)
        while True:
            self._is_pulling = True
            try:
                piece = next(pieces, None)
            finally:
                self._is_pulling = False
            if piece is None:
                break
            self._keep(piece)
            yield piece
        self._ended()

    async def _aiter_bytes(self, *args: Any, **kwargs: Any) -> Any:
        pieces = self._own["aiter_bytes"](*args, **kwargs)
        while True:
            self._is_pulling = True
            try:
                piece = await anext(pieces, None)
            finally:
                self._is_pulling = False
            if piece is None:
                break
            self._keep(piece)
            yield piece
        self._ended()

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if not self.is_parsed and self._size <= _MOST:
            self._pieces.append(piece)

    def _close(self) -> None:
        self._look()
        self._own["close"]()

    async def _aclose(self) -> None:
        self._look()
        await self._own["aclose"]()

    def _ended(self) -> None:
        self._is_read = True
        self._look()

    def _look(self) -> None:
        # A body that comes to its end closes its response itself, while its last piece is being pulled.
        with shielded("raw response"):
            if not self.is_parsed and not self._is_pulling:
                body = b"".join(self._pieces)
                _whole(self._http, body, self._observation, self._decoder, is_read=self._is_read)


def _decoded(body: bytes | str) -> Any:
    """Return what a body says; one that is no JSON says nothing, and is an answer all the same."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}


def _whole(http: Any, body: bytes, observation: Observation, decoder: Decoder, *, is_read: bool) -> None:
    """Tell an observation what a body says, as far as it was read."""
    kind = http.headers.get("content-type", "")
    if observation.is_over:
        return
    if "application/json" in kind and is_read:
        observation.returned(_decoded(body))
        return
    if "event-stream" in kind or "eventstream" in kind:  # text/..., application/vnd.amazon...
        for event in decoder().iter_bytes(iter([body])):
            if not event.data.startswith("[DONE]"):
                observation.chunk(_decoded(event.data))
    if is_read:
        observation.finished()
    else:
        observation.left()


def _observe_parsed(response: Any, body: _Body, observation: Observation, observe: Observe) -> None:
    parse = response.parse
    seen: list[Any] = []

    def look(result: Any) -> Any:
        with shielded("raw response"):
            if not any(result is known for known in seen):
                seen.append(result)
                body.is_parsed = True
                if hasattr(result, "_iterator"):
                    observe(result, observation)
                else:
                    observation.returned(result)
        return result

    async def look_later(result: Any) -> Any:
        return look(await result)

    def parsing(*args: Any, **kwargs: Any) -> Any:
        result = parse(*args, **kwargs)
        return look_later(result) if inspect.isawaitable(result) else look(result)

    response.parse = parsing
