"""What LlamaIndex's dispatcher tells, as runs and model calls.

https://developers.llamaindex.ai/python/framework/module_guides/observability/instrumentation
"""

from __future__ import annotations

from typing import Any, Final

from ..calls.facts import RequestFacts
from .llamaindex_answers import words_in
from .llamaindex_calls import Calls
from .llamaindex_links import Links, call_at, identity_of_tags, method_of
from .llamaindex_messages import asked, embedded, prompted, words_of
from .llamaindex_unread import Unread
from .watching import Watching


class Told:
    """Turns the events inside spans into model calls; ``links`` are the spans."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
        self.calls = Calls(watching)
        self.unread = Unread(watching, self.calls)
        self.links = Links(watching, self.calls, self.unread)

    def event(self, event: Any) -> None:
        """Something happens inside a span."""
        happens = _EVENTS.get(type(event).__name__)
        if happens is not None and event.span_id is not None:
            happens(self, event)

    def _chat_starts(self, event: Any) -> None:
        request = asked(event.messages, event.model_dict, event.additional_kwargs)
        self._call_starts(event, request, words_of(event.messages))

    def _completion_starts(self, event: Any) -> None:
        request = prompted(event.prompt, event.model_dict, event.additional_kwargs)
        self._call_starts(event, request, event.prompt)

    def _embedding_starts(self, event: Any) -> None:
        self._call_starts(event, embedded(event.model_dict), "")

    def _call_starts(self, event: Any, request: RequestFacts, words: str) -> None:
        told_as = self.calls.begin(
            call_at(event.span_id),
            self.links.run_at(event.span_id),
            request,
            words,
            identity=identity_of_tags(),
            is_streaming=_is_streaming(event),
        )
        link = self.links.get(event.span_id)
        if link is not None:
            link.run_id = told_as

    def _piece_comes(self, event: Any) -> None:
        self.calls.piece(call_at(event.span_id), event.response)

    def _call_ends(self, event: Any) -> None:
        run = self._watching.tree.get(call_at(event.span_id))
        self.calls.answered(call_at(event.span_id), event.response)
        if _is_streaming(event):
            self.unread.was_read(run, words_in(event.response))

    def _embedding_ends(self, event: Any) -> None:
        self.calls.embedded(call_at(event.span_id), event.embeddings)

    def _raised(self, event: Any) -> None:
        run = self._watching.tree.get(call_at(event.span_id))
        self.calls.failed(call_at(event.span_id), event.exception)
        self.unread.was_read(run, error=event.exception)

    def _cancelled(self, event: Any) -> None:
        self.links.cancelled(event.span_id)


_EVENTS: Final = {
    "LLMChatStartEvent": Told._chat_starts,
    "LLMChatInProgressEvent": Told._piece_comes,
    "LLMChatEndEvent": Told._call_ends,
    "LLMCompletionStartEvent": Told._completion_starts,
    "LLMCompletionInProgressEvent": Told._piece_comes,
    "LLMCompletionEndEvent": Told._call_ends,
    "EmbeddingStartEvent": Told._embedding_starts,
    "EmbeddingEndEvent": Told._embedding_ends,
    "SparseEmbeddingStartEvent": Told._embedding_starts,
    "SparseEmbeddingEndEvent": Told._embedding_ends,
    "ExceptionEvent": Told._raised,
    "SpanCancelledEvent": Told._cancelled,
}


def _is_streaming(event: Any) -> bool:
    return "stream" in method_of(event.span_id)
