"""What LlamaIndex's callback manager tells, which is older than its dispatcher and knows less.

https://developers.llamaindex.ai/python/framework/module_guides/observability/callbacks
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Mapping
from typing import Any, Final

from ..calls.facts import peek
from ..context.recent import Recent
from .llamaindex_answers import words_in
from .llamaindex_links import identity_of_tags
from .llamaindex_messages import asked, embedded, prompted, text_of, words_of
from .llamaindex_spans import result_of
from .llamaindex_told import Told
from .llamaindex_unread import stream_of
from .watching import Watching

_STEPS: Final = ("query", "retrieve", "synthesize", "reranking", "agent_step", "sub_question")
_CALLS: Final = ("llm", "embedding")
_RESULTS: Final = ("response", "nodes", "function_call_response")


class Callbacks:
    """Turns the events of a callback manager into runs."""

    def __init__(self, watching: Watching, told: Told) -> None:
        self._watching = watching
        self._told = told
        self._runs: Recent[str, object] = Recent()  # of each event the run it is, or is a part of
        self._raised: Recent[object, BaseException] = Recent()  # inside a run that has not ended

    def start(
        self, kind: Any, payload: Mapping[Any, Any] | None, event_id: str, parent_id: str, span_id: str | None
    ) -> None:
        """Something begins; ``span_id`` is the span around, where the dispatcher tells us of it too."""
        about, kind = _by_name(payload), _value(kind)
        around = self._told.links.run_at(span_id) or self._runs.get(parent_id)
        if kind in _CALLS:
            self._call_starts(kind, about, event_id, around)
        elif span_id is None and kind != "exception":
            self._runs.put(event_id, self._starts(kind, about, event_id, around))

    def end(self, kind: Any, payload: Mapping[Any, Any] | None, event_id: str) -> None:
        """It is over; where the payload says nothing, something may have been raised inside."""
        about, kind = _by_name(payload), _value(kind)
        run_id = self._runs.pop(event_id)
        error = about.get("exception") or (None if about else self._raised.pop(run_id))
        if kind in _CALLS:
            self._call_ends(kind, about, event_id, error)
        elif run_id != event_id or self._is_unread(run_id, about):
            return
        elif error is not None:
            self._raises(run_id, error)
            self._watching.failed(run_id, error)
        else:
            self._watching.ended(run_id, _result(about))

    def _starts(self, kind: str, about: Mapping[str, Any], event_id: str, around: object) -> object:
        identity = identity_of_tags()
        if kind == "function_call":
            name, given = str(peek(about.get("tool"), "name") or "tool"), about.get("function_call")
            self._watching.tool(event_id, around, name, arguments=given, identity=identity)
        elif kind in _STEPS:
            given = about.get("query_str") or next(iter(about.get("messages") or ()), None)
            given = given if isinstance(given, str) else text_of(given) or None
            self._watching.step(event_id, around, kind, asked=given, identity=identity)
        else:
            return around
        return event_id

    def _call_starts(self, kind: str, about: Mapping[str, Any], event_id: str, around: object) -> None:
        model, options = about.get("serialized") or {}, about.get("additional_kwargs") or {}
        messages, prompt = about.get("messages"), str(about.get("formatted_prompt") or "")
        if kind == "embedding":
            request, words = embedded(model), ""
        elif messages is not None:
            request, words = asked(messages, model, options), words_of(messages)
        else:
            request, words = prompted(prompt, model, options), prompt
        call_id, identity = ("callback", event_id), identity_of_tags()
        self._told.calls.begin(call_id, around, request, words, identity=identity, by_words=True)

    def _call_ends(
        self, kind: str, about: Mapping[str, Any], event_id: str, error: BaseException | None
    ) -> None:
        call_id, calls = ("callback", event_id), self._told.calls
        if error is not None:
            self._raises(call_id, error)
            run = self._watching.tree.get(call_id)
            calls.failed(call_id, error)
            self._told.unread.was_read(run, error=error)
        elif not about:  # what is no `Exception` ends it so
            calls.failed(call_id, CancelledError())
        elif kind == "embedding":
            calls.embedded(call_id, about.get("embeddings"))
        else:
            answer = about["response"] if about.get("response") is not None else about.get("completion")
            if peek(answer, "delta") is not None:  # the last piece of a stream, which holds all of it
                calls.piece(call_id, answer)
            run = self._watching.tree.get(call_id)
            calls.answered(call_id, answer)
            if peek(answer, "delta") is not None:
                self._told.unread.was_read(run, words_in(answer))

    def _is_unread(self, run_id: object, about: Mapping[str, Any]) -> bool:
        stream = stream_of(about.get("response"))
        return stream is not None and self._told.unread.waits(run_id, stream)

    def _raises(self, run_id: object, error: BaseException) -> None:
        run = self._watching.tree.get(run_id)
        if run is not None and run.parent is not None:
            self._raised.put(run.parent.id, error)


def _by_name(payload: Mapping[Any, Any] | None) -> dict[str, Any]:
    return {_value(name): value for name, value in (payload or {}).items()}


def _value(name: Any) -> str:
    return str(getattr(name, "value", name))


def _result(about: Mapping[str, Any]) -> Any:
    return next((result_of(about[name]) for name in _RESULTS if about.get(name) is not None), None)
