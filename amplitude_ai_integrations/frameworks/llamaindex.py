"""LlamaIndex: https://developers.llamaindex.ai/python/framework/."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..exceptions import shielded
from ..registry import AGENT_FRAMEWORKS

if TYPE_CHECKING:
    from llama_index.core.callbacks.base_handler import BaseCallbackHandler
    from llama_index.core.instrumentation.span import BaseSpan, active_span_id
    from llama_index_instrumentation import get_dispatcher
    from llama_index_instrumentation.event_handlers import BaseEventHandler
    from llama_index_instrumentation.span_handlers import BaseSpanHandler
    from typing_extensions import Self, Unpack
else:
    try:
        from llama_index.core.callbacks.base_handler import BaseCallbackHandler
        from llama_index.core.instrumentation import get_dispatcher
        from llama_index.core.instrumentation.event_handlers.base import BaseEventHandler
        from llama_index.core.instrumentation.span import BaseSpan, active_span_id
        from llama_index.core.instrumentation.span_handlers.base import BaseSpanHandler
    except ImportError as error:
        raise AGENT_FRAMEWORKS["llamaindex"].missing() from error

from .llamaindex_callbacks import Callbacks
from .llamaindex_told import Told
from .options import FrameworkOptions
from .watching import Watching

_NAME: Final = "llamaindex"
_lock = threading.RLock()


class AmplitudeLlamaIndexHandler(BaseCallbackHandler):
    """Makes ``[Agent]`` events of what LlamaIndex does, in one of two ways, or both.

    ``handler.register()`` observes everything in this process, until ``handler.close()``: model calls become
    AI Responses and their prompts User Messages, embeddings Embeddings, tools Tool Calls; agents, workflows,
    query and chat engines, retrievers, rerankers and synthesizers become Spans, with the agents as agents.
    ``CallbackManager([handler])`` observes the components it is given to, as far as they tell their callback
    manager: workflows, agents and their tools do not. What is told both ways is one event.

    It takes ``amplitude`` (an ``AmplitudeAI`` or an ``Amplitude``; by default the only ``AmplitudeAI`` there
    is), ``user_id`` and ``FrameworkOptions``. Outside any session LlamaIndex's ``instrument_tags`` may name a
    ``session_id`` and a ``user_id``.

    Raises:
        ConfigurationError: An option does not exist or has a wrong value, or it is not clear where to report.
    """

    def __init__(
        self, amplitude: Any = None, user_id: str | None = None, **options: Unpack[FrameworkOptions]
    ) -> None:
        super().__init__(event_starts_to_ignore=[], event_ends_to_ignore=[])
        watching = Watching("AmplitudeLlamaIndexHandler()", amplitude, {"user_id": user_id, **options})
        told = Told(watching)
        self._callbacks = Callbacks(watching, told)
        self._spans, self._events = _Spans(told), _Events(told)

    def register(self) -> Self:
        """Observe everything that LlamaIndex does in this process, and return this handler."""
        with _lock:
            if not self.is_registered:
                root = get_dispatcher()
                root.add_span_handler(self._spans)
                root.add_event_handler(self._events)
        return self

    def close(self) -> None:
        """End what ``register`` began."""
        root: Any = get_dispatcher()
        with _lock:
            root.span_handlers = [other for other in root.span_handlers if other is not self._spans]
            root.event_handlers = [other for other in root.event_handlers if other is not self._events]

    @property
    def is_registered(self) -> bool:
        """Whether everything is observed that LlamaIndex does in this process."""
        return any(handler is self._spans for handler in get_dispatcher().span_handlers)

    def __enter__(self) -> Self:
        """Observe everything inside the block."""
        return self.register()

    def __exit__(self, *_raised: object) -> None:
        self.close()

    def on_event_start(
        self,
        event_type: Any,
        payload: Mapping[Any, Any] | None = None,
        event_id: str = "",
        parent_id: str = "",
        **kwargs: Any,
    ) -> str:
        """A component begins something, as its callback manager says."""
        with shielded(_NAME):
            span_id = active_span_id.get() if self.is_registered else None
            self._callbacks.start(event_type, payload, event_id, parent_id, span_id)
        return event_id

    def on_event_end(
        self, event_type: Any, payload: Mapping[Any, Any] | None = None, event_id: str = "", **kwargs: Any
    ) -> None:
        """It is over."""
        with shielded(_NAME):
            self._callbacks.end(event_type, payload, event_id)

    def start_trace(self, trace_id: str | None = None) -> None:
        """Say nothing: a trace is where its events are."""

    def end_trace(self, trace_id: str | None = None, trace_map: Any = None) -> None:
        """Say nothing."""


def create_amplitude_llamaindex_handler(
    amplitude: Any = None, user_id: str | None = None, **options: Unpack[FrameworkOptions]
) -> AmplitudeLlamaIndexHandler:
    """Return a handler for LlamaIndex: ``create_amplitude_llamaindex_handler(ai).register()``.

    Raises:
        ConfigurationError: As ``AmplitudeLlamaIndexHandler``.
    """
    return AmplitudeLlamaIndexHandler(amplitude, user_id, **options)


class _Spans(BaseSpanHandler[BaseSpan]):
    """Hears of spans, and keeps none."""

    _told: Told

    def __init__(self, told: Told) -> None:
        super().__init__()
        self._told = told

    def span_enter(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,
        instance: Any = None,
        parent_id: str | None = None,
        tags: Any = None,
        **kwargs: Any,
    ) -> None:
        """A span begins."""
        with shielded(_NAME):
            self._told.links.enter(id_, instance, bound_args.arguments, parent_id)

    def span_exit(
        self, id_: str, bound_args: Any, instance: Any = None, result: Any = None, **kwargs: Any
    ) -> None:
        """A span ends well."""
        with shielded(_NAME):
            self._told.links.leave(id_, result)

    def span_drop(
        self, id_: str, bound_args: Any, instance: Any = None, err: BaseException | None = None, **kwargs: Any
    ) -> None:
        """A span raised."""
        with shielded(_NAME):
            self._told.links.drop(id_, err)

    def new_span(self, *_given: Any, **_named: Any) -> None:
        """Say nothing: the three above are what is called."""

    def prepare_to_exit_span(self, *_given: Any, **_named: Any) -> None:
        """Say nothing."""

    def prepare_to_drop_span(self, *_given: Any, **_named: Any) -> None:
        """Say nothing."""


class _Events(BaseEventHandler):
    """Hears of events."""

    _told: Told

    def __init__(self, told: Told) -> None:
        super().__init__()
        self._told = told

    def handle(self, event: Any, **kwargs: Any) -> None:
        """Something happens inside a span."""
        with shielded(_NAME):
            self._told.event(event)
