"""One call of a public method: where it was made and with which keywords, and when its reader leaves.

The vendor's streams send nothing before they are read, maybe elsewhere. So a call travels with the object
whose method is called: a view of it, which has all that it has and the call besides.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Mapping
from contextvars import copy_context
from functools import cache
from typing import Any

from ..calls.generators import watching
from ..calls.observation import Observation
from ..calls.streams import cancellation
from ..context import get_active_context
from ..context.current import Conversation
from ..exceptions import shielded

Observe = Callable[[Mapping[str, Any]], Observation | None]


class PublicCall:
    """One call, for which the model is asked once, several times, or never.

    ``observe`` is given for a stream: its first request counts as begun where the call is made.
    """

    def __init__(self, keywords: Mapping[str, Any], observe: Observe | None = None) -> None:
        self._keywords = {**keywords}  # of the next request
        self._place = copy_context()
        self._conversation = _conversation()
        self._unsent: Observation | None = None
        self._request: Observation | None = None
        if observe is not None:
            self._unsent = self._request = self.request(observe)

    def request(self, observe: Observe) -> Observation | None:
        """Return the observation of a request that is sent now, in the session in which the call was made."""
        request, self._unsent = self._unsent, None
        if request is not None:
            request.sent()  # the vendor took its time until here, or the reader did
            return request
        is_here = _conversation() is self._conversation
        request = observe(self._keywords) if is_here else self._place.run(observe, self._keywords)
        self._request = request
        self._keywords.pop("message_id", None)
        if request is not None and self._conversation is None:
            self._keywords = {"trace_id": request.trace_id, **self._keywords}  # what follows belongs there
        return request

    def stream(self, result: Any) -> Any:
        """Return what the caller gets to read of a stream."""
        if inspect.iscoroutine(result):  # as old versions have it, where no function may be called
            return result
        result = watching(result, self)
        weakref.finalize(result, self.left)
        return result

    def chunk(self, chunk: Any) -> None:
        """A chunk came, as its request has seen."""

    def finished(self) -> None:
        """The stream was read to its end, as its last request has seen."""
        self.left()

    def failed(self, error: BaseException) -> None:
        """The stream raised: its last request has seen it, unless nothing was sent."""
        with shielded("gemini"):
            if self._unsent is not None:
                self._unsent.failed(error)

    def left(self) -> None:
        """Nobody reads the answer any more."""
        with shielded("gemini"):
            if self._request is not None:
                self._request.left(cancellation())


def _conversation() -> Conversation | None:
    context = get_active_context()
    return None if context is None else context.conversation


def call_of(models: Any) -> PublicCall | None:
    """Return the call that a view of models was made for."""
    call: PublicCall | None = getattr(models, "_amplitude_call", None)
    return call


def models_in(call: PublicCall, models: Any) -> Any:
    """Return a view of models, for one call."""
    kind: Any = type(models)
    view = _view(_models_class(kind), models)
    view._amplitude_call = call
    return view


def chat_in(call: PublicCall, chat: Any) -> Any:
    """Return a view of a chat that asks such a view of its models, for one call."""
    kind: Any = type(chat)
    view = _view(_chat_class(kind), chat)
    view._amplitude_modules = models_in(call, chat._modules)
    return view


def _view(kind: Any, given: Any) -> Any:
    view = object.__new__(kind)
    view.__dict__ = vars(given)  # the same: what the vendor writes here is written there
    return view


@cache
def _models_class(kind: Any) -> Any:
    return looking_the_same(kind, {"__slots__": ("_amplitude_call",)})


@cache
def _chat_class(kind: Any) -> Any:
    modules = property(lambda chat: chat._amplitude_modules)
    return looking_the_same(kind, {"__slots__": ("_amplitude_modules",), "_modules": modules})


def looking_the_same(kind: Any, own: dict[str, Any]) -> Any:
    """Return a subclass that shows itself as the class it is of."""
    same = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    return type(kind.__name__, (kind,), {**same, **own})
