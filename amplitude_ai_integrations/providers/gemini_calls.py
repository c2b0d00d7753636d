"""The methods of Gemini's clients that call a model: where calls are observed, and where people make them.

Each request to a model is one run of a private method; a public one runs several where functions are called
on the way, or an answer goes on in a second one. Requests are observed; public methods take our keywords.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from ..calls.facts import Adapter, peek
from ..calls.generators import watching
from ..calls.keywords import PREFIX
from ..calls.observation import Observation
from ..calls.reporting import Reporting
from ..exceptions import shielded
from ..propagation import inject_context
from .gemini_embeddings import EmbedContent
from .gemini_generate import GenerateContent
from .gemini_public import Observe, PublicCall, call_of, chat_in, models_in

Where = Callable[[Any], Reporting | None]
View = Callable[[PublicCall, Any], Any]

_OWN: Final = "_amplitude_reporting_of_client"
_REQUESTS: Final = ("_generate_content", "_generate_content_stream", "_embed_content")
_OF_MODELS: Final = ("generate_content", "generate_content_stream", "embed_content")
_OF_CHATS: Final = ("send_message", "send_message_stream")
_OTHER_NAMES: Final = {"amplitude_conversation_id": "session_id"}


def own_reporting(models: Any) -> Reporting | None:
    """Return where the client of these models was told to report to; patched classes are not asked."""
    own: Reporting | None = vars(models).get(_OWN)
    return own


def note_reporting(models: Any, reporting: Reporting) -> None:
    """Note where the client of these models reports to."""
    vars(models)[_OWN] = reporting


def methods_of_models(kind: Any, where: Where) -> dict[str, Any]:
    """Return the methods of a class of models, observed where ``where`` names somewhere."""
    requests = [name for name in _REQUESTS if hasattr(kind, name)]
    if "_embed_content" not in requests:  # older versions send embeddings from the public method
        requests.append("embed_content")
    methods = {name: _requesting(getattr(kind, name), where) for name in requests}
    for name in _OF_MODELS:
        methods[name] = _taking_keywords(methods.get(name) or getattr(kind, name), where, models_in, _given)
    return methods


def methods_of_chats(kind: Any, where: Where) -> dict[str, Any]:
    """Return the methods of a class of chats that take our keywords too."""

    def where_of_chat(chat: Any) -> Reporting | None:
        return where(chat._modules)

    return {
        name: _taking_keywords(getattr(kind, name), where_of_chat, chat_in, _said_in) for name in _OF_CHATS
    }


class _Request:
    """How a method that sends one request is observed."""

    def __init__(self, method: Any, where: Where) -> None:
        self._streams = method.__name__.endswith("_stream")
        self._adapter_of = _embedding if "embed" in method.__name__ else _generating
        self._where = where

    def begin(self, models: Any, kwargs: dict[str, Any]) -> Observation | None:
        """Begin to observe it; its arguments come to carry our ids, where they are to."""
        with shielded("gemini"):
            reporting = self._where(models)
            if reporting is None:
                return None
            observe = _observing(reporting, self._adapter_of, {**kwargs}, is_streaming=self._streams)
            call = call_of(models)
            observation = observe({}) if call is None else call.request(observe)
            if observation is not None and observation.propagates:
                kwargs["config"] = _carrying_context(kwargs.get("config"))
            return observation
        return None

    def returned(self, response: Any, observation: Observation) -> Any:
        """Take what the method returns, an answer or a stream, and return what the caller gets."""
        with shielded("gemini"):
            if self._streams:
                return watching(response, observation)
            observation.returned(response)
        return response


def _requesting(method: Any, where: Where) -> Any:
    """Return a method that sends one request, observed."""
    request = _Request(method, where)

    @wraps(method)
    def send(models: Any, **kwargs: Any) -> Any:
        observation = request.begin(models, kwargs)
        if observation is None:
            return method(models, **kwargs)
        try:
            response = method(models, **kwargs)
        except BaseException as error:
            observation.failed(error)
            raise
        return request.returned(response, observation)

    @wraps(method)
    async def send_later(models: Any, **kwargs: Any) -> Any:
        observation = request.begin(models, kwargs)
        if observation is None:
            return await method(models, **kwargs)
        try:
            response = await method(models, **kwargs)
        except BaseException as error:
            observation.failed(error)
            raise
        return request.returned(response, observation)

    return send_later if inspect.iscoroutinefunction(method) else send


class _Door:
    """How a public method takes our keywords; ``payload_of`` tells by its arguments what it sends first."""

    def __init__(self, method: Any, where: Where, view: View, payload_of: Callable[..., Any]) -> None:
        self._streams = method.__name__.endswith("_stream")
        self._where = where
        self._view = view
        self._payload_of = payload_of

    def begin(
        self, given: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, PublicCall | None]:
        """Take our keywords off a call; return the object it goes on with, and the call if it is one."""
        own = {name: kwargs.pop(name) for name in [*kwargs] if name.startswith(PREFIX)}
        with shielded("gemini"):
            reporting = self._where(given) if call_of(given) is None else None
            if reporting is not None:
                keywords = {_argument(name): value for name, value in own.items()}
                call = PublicCall(keywords, self._first(reporting, given, args, kwargs))
                return self._view(call, given), call
        return given, None

    def returned(self, result: Any, call: PublicCall | None) -> Any:
        """Return what the caller gets."""
        with shielded("gemini"):
            if call is not None and self._streams:
                return call.stream(result)
        return result

    def _first(
        self, reporting: Reporting, given: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Observe | None:
        if not self._streams:
            return None
        payload = self._payload_of(given, *args, **kwargs)
        return _observing(reporting, _generating, payload, is_streaming=True)


def _taking_keywords(method: Any, where: Where, view: View, payload_of: Callable[..., Any]) -> Any:
    """Return a public method that also takes our keywords."""
    door = _Door(method, where, view, payload_of)

    @wraps(method)
    def call_now(given: Any, *args: Any, **kwargs: Any) -> Any:
        seen, call = door.begin(given, args, kwargs)
        return door.returned(method(seen, *args, **kwargs), call)

    @wraps(method)
    async def call_later(given: Any, *args: Any, **kwargs: Any) -> Any:
        seen, call = door.begin(given, args, kwargs)
        try:
            result = await method(seen, *args, **kwargs)
        except BaseException as error:
            if call is not None:
                call.failed(error)
            raise
        return door.returned(result, call)

    return call_later if inspect.iscoroutinefunction(method) else call_now


def _argument(keyword: str) -> str:
    return _OTHER_NAMES.get(keyword, keyword[len(PREFIX) :])


def _observing(
    reporting: Reporting, adapter_of: Callable[[Any], Adapter], payload: dict[str, Any], *, is_streaming: bool
) -> Observe:
    """Return what begins to observe a request, with the keywords of its call."""
    return lambda keywords: reporting.observe(
        adapter_of(payload), payload, keywords, is_streaming=is_streaming
    )


def _generating(payload: Any) -> Adapter:
    return GenerateContent(payload.get("contents"))


def _embedding(_payload: Any) -> Adapter:
    return EmbedContent()


def _given(_models: Any, *_args: Any, **kwargs: Any) -> dict[str, Any]:
    return kwargs


def _said_in(chat: Any, message: Any = None, config: Any = None, **_given: Any) -> dict[str, Any]:
    """Return what a chat asks of a model, with a message after what was said."""
    contents = [*chat._curated_history, message]
    return {"model": chat._model, "contents": contents, "config": config or chat._config}


def _carrying_context(config: Any) -> Any:
    """Return a request's settings with our ids in its headers."""
    options = peek(config, "http_options")
    headers = inject_context(dict(peek(options, "headers") or {}))
    carrying = _with(options, {"headers": headers})
    return _with(config, {"http_options": carrying})


def _with(given: Any, changes: dict[str, Any]) -> Any:
    """Return settings with others among them, of the same kind: a dictionary, or a model of the vendor's."""
    if hasattr(given, "model_copy"):
        return given.model_copy(update=changes)
    return {**(given or {}), **changes}
