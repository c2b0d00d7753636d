"""Answers that the caller takes as raw HTTP responses, whole or as they stream."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import msgspec

from ..calls.observation import Observation
from ..exceptions import shielded

Observe = Callable[[Any, Observation], None]


def observe_raw(response: Any, observation: Observation, observe: Observe) -> None:
    """Observe a raw response: through its body if that is here, else when it is parsed or closed."""
    http = response.http_response
    if http.is_stream_consumed and not getattr(response, "_stream", False):
        _body_is_here(http, observation)
        return
    _observe_parsed(response, observation, observe)
    for method in ("close", "aclose"):
        if hasattr(http, method):
            setattr(http, method, _closing(getattr(http, method), http, observation))


def _observe_parsed(response: Any, observation: Observation, observe: Observe) -> None:
    parse = response.parse
    seen: list[Any] = []

    def look(result: Any) -> Any:
        with shielded("raw response"):
            if not any(result is known for known in seen):
                seen.append(result)
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


def _closing(close: Callable[..., Any], http: Any, observation: Observation) -> Callable[..., Any]:
    # A body that is read to its end closes its response before it is kept; the caller closes it again.
    closed: list[bool] = []

    def closing(*args: Any, **kwargs: Any) -> Any:
        is_read_now = http.is_stream_consumed and not hasattr(http, "_content") and not closed
        closed.append(True)
        if not observation.is_over and not is_read_now:
            _body_is_here(http, observation)
        return close(*args, **kwargs)

    return closing


def _body_is_here(http: Any, observation: Observation) -> None:
    with shielded("raw response"):
        if "application/json" in http.headers.get("content-type", "") and hasattr(http, "_content"):
            observation.returned(msgspec.json.decode(http.content))
        elif http.is_stream_consumed:
            observation.finished()
        else:
            observation.left()
