"""The methods of Mistral's clients that call a model, each observed where it is called."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from importlib import import_module
from typing import Any, Final

from ..calls.event_streams import dropped, observe_event_stream
from ..calls.facts import Adapter, peek
from ..calls.generators import watching
from ..calls.keywords import PREFIX, arguments_of
from ..calls.observation import Observation
from ..calls.replacing import Undo, replace
from ..calls.reporting import Reporting, reporting_of
from ..exceptions import shielded
from ..propagation import inject_context
from .mistral_chat import Chat
from .mistral_conversations import Conversations
from .mistral_embeddings import Embeddings
from .mistral_fim import FillInTheMiddle
from .mistral_responses import Responses

Where = Callable[[Any], Reporting | None]

_READ_ONCE: Final = Iterator  # the messages of a call, say, which then are read here
_OWN: Final = "_amplitude_reporting_of_client"


@dataclass(frozen=True)
class Api:
    """A resource of clients: where they have it, its class, and its methods that call a model.

    Each method has an asynchronous twin, ``complete_async`` of ``complete``.
    """

    path: tuple[str, ...]
    module: str
    name: str
    adapter: Callable[[str], Adapter]
    whole: tuple[str, ...] = ("complete",)
    streamed: tuple[str, ...] = ("stream",)

    def methods(self, kind: Any, where: Where) -> dict[str, Any]:
        """Return the methods that a class has of these, observed."""
        names = {**dict.fromkeys(self.whole, False), **dict.fromkeys(self.streamed, True)}
        return {
            f"{name}{twin}": _observing(getattr(kind, f"{name}{twin}"), self, where, is_streaming=streams)
            for name, streams in names.items()
            for twin in ("", "_async")
            if hasattr(kind, f"{name}{twin}")
        }


APIS: Final = (
    Api(("chat",), "chat", "Chat", Chat),
    Api(("agents",), "agents", "Agents", Chat),
    Api(("fim",), "fim", "Fim", FillInTheMiddle),
    Api(("embeddings",), "embeddings", "Embeddings", Embeddings, ("create",), ()),
    Api(("responses",), "responses", "Responses", Responses, ("create",), ()),
    Api(
        ("beta", "conversations"),
        "conversations",
        "Conversations",
        Conversations,
        ("start", "append", "restart"),
        ("start_stream", "append_stream", "restart_stream"),
    ),
)


def observe_resources(client: Any) -> None:
    """Observe what a client has of resources by now; newer versions make each when it is first asked for."""
    reporting = reporting_of(client)
    if reporting is None:
        return
    for api in APIS:
        first, *rest = api.path
        resource = peek(vars(client).get(first), *rest)
        if resource is None:
            continue
        if _own_reporting(resource) is None:
            kind: Any = type(resource)
            resource.__class__ = _observed(kind, api)
        vars(resource)[_OWN] = reporting


def patch_resources(package: str, reporting: Reporting) -> list[Undo]:
    """Observe the resources of all clients that are not observed by themselves."""

    def where(resource: Any) -> Reporting | None:
        return reporting if _own_reporting(resource) is None else None

    undos: list[Undo] = []
    for api in APIS:
        try:
            kind = getattr(import_module(f"{package}.{api.module}"), api.name, None)
        except ImportError:
            continue
        undos.extend(replace(kind, name, method) for name, method in api.methods(kind, where).items())
    return undos


def _own_reporting(resource: Any) -> Reporting | None:
    own: Reporting | None = vars(resource).get(_OWN)
    return own


@cache
def _observed(kind: Any, api: Api) -> type:
    same = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    return type(kind.__name__, (kind,), {**api.methods(kind, _own_reporting), **same})


def _observing(method: Any, api: Api, where: Where, *, is_streaming: bool) -> Any:
    """Return a method that takes our keywords too, observed where ``where`` names somewhere."""
    takes_headers = "http_headers" in inspect.signature(method).parameters

    def begin(resource: Any, own: Mapping[str, Any], kwargs: dict[str, Any]) -> Observation | None:
        reporting = where(resource)
        if reporting is None:
            return None
        adapter, keywords = api.adapter(reporting.provider or "mistral"), arguments_of(own)
        streams = is_streaming or kwargs.get("stream") is True
        observation = reporting.observe(adapter, {**kwargs}, keywords, is_streaming=streams)
        with shielded("mistral"):
            if observation is not None and takes_headers and observation.propagates:
                kwargs["http_headers"] = inject_context(dict(kwargs.get("http_headers") or {}))
        return observation

    @wraps(method)
    def call(resource: Any, *args: Any, **kwargs: Any) -> Any:
        own = {name: kwargs.pop(name) for name in [*kwargs] if name.startswith(PREFIX)}
        kwargs.update({name: [*value] for name, value in kwargs.items() if isinstance(value, _READ_ONCE)})
        observation = None
        with shielded("mistral"):
            observation = begin(resource, own, kwargs)
        if observation is None:
            return method(resource, *args, **kwargs)
        try:
            result = method(resource, *args, **kwargs)
        except BaseException as error:
            observation.failed(error)
            raise
        with shielded("mistral"):
            return _returned(result, observation)
        return result

    @wraps(method)
    async def call_later(resource: Any, *args: Any, **kwargs: Any) -> Any:
        own = {name: kwargs.pop(name) for name in [*kwargs] if name.startswith(PREFIX)}
        kwargs.update({name: [*value] for name, value in kwargs.items() if isinstance(value, _READ_ONCE)})
        observation = None
        with shielded("mistral"):
            observation = begin(resource, own, kwargs)
        if observation is None:
            return await method(resource, *args, **kwargs)
        try:
            result = await method(resource, *args, **kwargs)
        except BaseException as error:
            observation.failed(error)
            raise
        with shielded("mistral"):
            return _returned(result, observation)
        return result

    return call_later if inspect.iscoroutinefunction(method) else call


def _returned(result: Any, observation: Observation) -> Any:
    """Take what a method returns, an answer or a stream, and return what the caller gets."""
    if inspect.isgenerator(result) or inspect.isasyncgen(result):  # as before version 1.2
        watched = watching(result, observation)
        # One that was never begun runs no code when it is dropped, and an asynchronous one runs it later.
        weakref.finalize(watched, dropped, observation)
        return watched
    if hasattr(result, "generator"):
        observe_event_stream(result, observation)
    else:
        observation.returned(result)
    return result
