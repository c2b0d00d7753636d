"""Bodies that the caller reads: ``botocore.response.StreamingBody``, looked at when it was read or let go."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, Final

from botocore.response import StreamingBody  # type: ignore[import-untyped]

from ..calls.observation import Observation
from ..exceptions import shielded

_MOST: Final = 20_000_000  # bytes of a body that are kept to be looked at


class _Tap:
    """Keeps what the caller reads of a body, and tells the observation once there is no more to come."""

    def __init__(self, response: Any, observation: Observation, length: Any) -> None:
        self._response = {name: value for name, value in response.items() if name != "body"}
        self._observation = observation
        self._length = int(length) if str(length).isdecimal() else None
        self._pieces: list[bytes] = []
        self._size = 0
        self._depth = 0

    def read(self, read: Callable[..., Any], taken: Callable[..., tuple[bytes, bool]], *args: Any) -> Any:
        """Read; ``taken`` tells what bytes that took, and whether they are the end.

        A body reads by its own inner stream, which ``with`` hands out: what is read counts once.
        """
        self._depth += 1
        try:
            result = read(*args)
        except BaseException as error:
            if self._depth == 1:
                self._observation.failed(error)
            raise
        finally:
            self._depth -= 1
        if self._depth == 0:
            with shielded("body"):
                self._took(*taken(result, *args))
        return result

    def reading(self, read: Callable[..., Any]) -> Callable[..., Any]:
        """Return the ``read`` of an inner stream observed."""

        @wraps(read)
        def call(amt: int | None = None, *args: Any, **kwargs: Any) -> Any:
            return self.read(partial(read, **kwargs), _by_read, amt, *args)

        return call

    def _took(self, piece: bytes, is_end: bool) -> None:
        self._size += len(piece)
        if self._size <= _MOST:
            self._pieces.append(piece)
        if is_end or self._size == self._length:
            self.ended(b"".join(self._pieces) if self._size <= _MOST else None)

    def ended(self, body: bytes | None = None) -> None:
        """The caller is through with the body, of which this is all, or ``None`` if he left some."""
        with shielded("body"):
            if not self._observation.is_over:
                self._observation.returned({**self._response, "body": body})
            self._pieces.clear()


def _by_read(piece: bytes, amt: int | None, *_more: Any) -> tuple[bytes, bool]:
    return piece, amt is None or amt < 0 or (not piece and amt > 0)


def _by_readinto(amount: int, buffer: Any) -> tuple[bytes, bool]:
    return bytes(memoryview(buffer)[:amount]), not amount and len(buffer) > 0


def _by_readlines(lines: list[bytes]) -> tuple[bytes, bool]:
    return b"".join(lines), True


class _ObservedBody(StreamingBody):  # type: ignore[misc]
    """A body whose every way to be read is one of three, through ``with`` or not."""

    _amplitude_tap: _Tap

    def read(self, amt: int | None = None) -> Any:
        return self._amplitude_tap.read(super().read, _by_read, amt)

    def readlines(self) -> Any:
        return self._amplitude_tap.read(super().readlines, _by_readlines)

    if hasattr(StreamingBody, "readinto"):

        def readinto(self, b: Any) -> Any:
            return self._amplitude_tap.read(super().readinto, _by_readinto, b)

    def __enter__(self) -> Any:
        inner = super().__enter__()
        with shielded("body"):
            if hasattr(inner, "__dict__"):
                inner.read = self._amplitude_tap.reading(inner.read)
        return inner

    def __exit__(self, *given: Any) -> Any:
        self._amplitude_tap.ended()
        with shielded("body"):
            getattr(self._raw_stream, "__dict__", {}).pop("read", None)
        return super().__exit__(*given)

    def close(self) -> None:
        self._amplitude_tap.ended()
        super().close()


def observe(response: Any, observation: Observation) -> None:
    """Observe the body of a response: the same object, of a subclass of its class."""
    body = response["body"]
    tap = _Tap(response, observation, body._content_length)
    body._amplitude_tap = tap
    body.__class__ = _ObservedBody
    weakref.finalize(body, tap.ended)


for _name in ("__module__", "__name__", "__qualname__", "__doc__"):
    setattr(_ObservedBody, _name, getattr(StreamingBody, _name))
