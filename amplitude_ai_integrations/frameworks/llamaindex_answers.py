"""LlamaIndex's answers as facts: its own part of them, and the vendor's answer that they carry along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import structs

from ..calls.direct import Direct
from ..calls.facts import Accumulator, Adapter, ResponseFacts, Usage, count, known, peek
from ..calls.pieces import Pieces
from ..providers.anthropic_messages import Messages
from ..providers.bedrock_converse import Converse
from ..providers.gemini_generate import GenerateContent
from ..providers.openai_chat import ChatCompletions, usage_of
from ..providers.openai_responses import Responses
from .llamaindex_messages import text_of, thoughts_of, tool_calls_of

# By which of its names a vendor's answer, or a piece of one, shows whose it is.
_VENDORS: Final[tuple[tuple[tuple[str, ...], Callable[[], Adapter]], ...]] = (
    (("choices",), lambda: ChatCompletions("")),
    (("usage_metadata", "candidates"), lambda: GenerateContent([])),
    (("stopReason", "contentBlockDelta", "contentBlockStart", "metadata", "messageStop"), Converse),
)
_STOPS: Final = ("finish_reason", "stop_reason", "done_reason")


class Answers(Direct):
    """An adapter whose requests are facts, and whose answers are LlamaIndex's."""

    def response(self, payload: Any) -> ResponseFacts:
        """Map an answer that came whole."""
        if isinstance(payload, ResponseFacts):
            return payload
        raw = peek(payload, "raw")
        vendor = _vendor_of(raw)
        return _with_vendor(
            _own(payload), vendor.response(_data(raw)) if vendor is not None else None, payload
        )

    def accumulator(self) -> AnswerPieces:  # type: ignore[override]
        """Return a new gatherer of pieces."""
        return AnswerPieces()


class AnswerPieces:
    """Gathers a streamed answer, of which each piece also holds all that came before."""

    def __init__(self) -> None:
        self._text = Pieces()
        self._last: Any = None
        self._vendor: Accumulator | None = None

    def add(self, chunk: Any) -> bool:
        """Take a piece, and tell whether it carries some of the answer."""
        self._last = chunk
        raw = peek(chunk, "raw")
        if self._vendor is None and (vendor := _vendor_of(raw)) is not None:
            self._vendor = vendor.accumulator()
        if self._vendor is not None:
            self._vendor.add(_data(raw))
        delta = peek(chunk, "delta")
        if isinstance(delta, str):
            self._text.add(delta)
        return bool(delta) or bool(tool_calls_of(peek(chunk, "message")))

    def facts(self) -> ResponseFacts:
        """Return what came so far."""
        own = _own(self._last)
        own.text = own.text or self._text.text()
        return _with_vendor(own, self._vendor.facts() if self._vendor is not None else None, self._last)


def words_in(answer: Any) -> str:
    """Return the words of an answer, of a chat or of a completion."""
    return text_of(peek(answer, "message")) or known(peek(answer, "text"), str) or ""


def embeddings(vectors: Any) -> ResponseFacts:
    """Map what an embedding model made: only how long its vectors are."""
    first = vectors[0] if isinstance(vectors, (list, tuple)) and vectors else None
    return ResponseFacts(dimensions=len(first) if isinstance(first, (list, tuple)) else None)


def _own(answer: Any) -> ResponseFacts:
    message = peek(answer, "message")
    return ResponseFacts(
        text=words_in(answer),
        reasoning=thoughts_of(message),
        tool_calls=tool_calls_of(message),
    )


def _with_vendor(own: ResponseFacts, vendor: ResponseFacts | None, answer: Any) -> ResponseFacts:
    """Return LlamaIndex's part of an answer with the vendor's: tokens, id, model, why it ended."""
    if vendor is not None:
        own = structs.replace(
            vendor,
            text=own.text or vendor.text,
            reasoning=own.reasoning or vendor.reasoning,
            tool_calls=own.tool_calls or vendor.tool_calls,
        )
    raw = peek(answer, "raw")
    said = [peek(answer, "additional_kwargs"), peek(answer, "message", "additional_kwargs"), raw]
    own.usage = own.usage or next(filter(None, map(_counted, said)), None)
    stops = (known(peek(about, name), str) for about in said for name in _STOPS)
    own.finish_reason = own.finish_reason or next(filter(None, stops), None)
    return own


def _counted(about: Any) -> Usage | None:
    """Return token counts that an integration writes beside an answer, or its vendor in words of its own."""
    usage = peek(about, "usage") or about
    local = Usage(count(peek(usage, "prompt_eval_count")), count(peek(usage, "eval_count")))  # Ollama's
    return (
        usage_of(usage) or usage_of(usage, "input", "output") or (local if local.output is not None else None)
    )


def _vendor_of(raw: Any) -> Adapter | None:
    data = _data(raw)
    kind, form = peek(data, "type"), peek(data, "object")
    if form == "response" or (isinstance(kind, str) and kind.startswith("response.")):
        return Responses("")
    if kind == "message" or (isinstance(kind, str) and kind.startswith(("message_", "content_block_"))):
        return Messages("")
    return next(
        (
            make()
            for names, make in _VENDORS
            if any(peek(data, name) is not None for name in names) and not isinstance(kind, str)
        ),
        None,
    )


def _data(raw: Any) -> Any:
    """Return a vendor's answer, out of the envelope that Mistral's pieces have."""
    inner = peek(raw, "data")
    return inner if peek(inner, "choices") is not None else raw
