"""InvokeModel: each maker's own body, and headers that count tokens for all of them.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
"""

from __future__ import annotations

import io
from typing import Any, Final

import msgspec

from ..calls.facts import Accumulator, Adapter, RequestFacts, ResponseFacts, Usage, peek
from .anthropic_messages import Messages
from .bedrock_converse import Converse
from .bedrock_embeddings import Embeddings
from .bedrock_models import PROVIDER, is_named, model_of
from .bedrock_prompts import Prompts
from .openai_chat import ChatCompletions

METRICS: Final = "amazon-bedrock-invocationMetrics"  # in the last chunk of a stream

_HEADERS: Final = "x-amzn-bedrock-{}-token-count"
_IN_HEADERS: Final = tuple(
    _HEADERS.format(kind) for kind in ("input", "output", "cache-read-input", "cache-write-input")
)
_IN_METRICS: Final = (
    "inputTokenCount",
    "outputTokenCount",
    "cacheReadInputTokenCount",
    "cacheWriteInputTokenCount",
)


def body_of(params: Any) -> dict[str, Any]:
    """Return what is sent, without moving a file that it may be in; nothing if it is no JSON."""
    body = peek(params, "body")
    return _decoded(body.getvalue() if isinstance(body, io.BytesIO) else body)


def _decoded(body: Any) -> dict[str, Any]:
    if not isinstance(body, (bytes, bytearray, str)):
        return {}
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        return {}
    return value if isinstance(value, dict) else {}


class InvokeModel:
    """Maps one call by the shape of its body, which is the model's maker's."""

    def __init__(self, model_id: Any, body: dict[str, Any]) -> None:
        self._model = model_of(model_id)
        self._body = _mapping_of(self._model, body)

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent."""
        facts = self._body.request(payload)
        facts.model = self._model
        return facts

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back whole; the body may not have been read."""
        body = _decoded(peek(payload, "body"))
        facts = self._body.response(body) if body else ResponseFacts()
        metadata = peek(payload, "ResponseMetadata")
        return _completed(facts, self._model, metadata, _counted(peek(metadata, "HTTPHeaders"), _IN_HEADERS))

    def accumulator(self) -> InvokedChunks:
        """Return a new gatherer of chunks."""
        return InvokedChunks(self._body.accumulator(), self._model)

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        return self._body.prompt_text(payload)


class InvokedChunks:
    """Gathers the chunks of a streamed answer, each of which is a text of JSON."""

    def __init__(self, body: Accumulator, model: str) -> None:
        self._body = body
        self._model = model
        self._metadata: Any = None
        self._usage: Usage | None = None

    def add(self, chunk: Any) -> bool:
        """Take a chunk, and tell whether it carries a piece of the answer."""
        self._metadata = peek(chunk, "ResponseMetadata") or self._metadata
        piece = _decoded(peek(chunk, "chunk", "bytes"))
        metrics = piece.get(METRICS)
        if metrics:
            self._usage = _counted(metrics, _IN_METRICS)
        return bool(piece) and self._body.add(piece)

    def facts(self) -> ResponseFacts:
        """Return what came so far."""
        return _completed(self._body.facts(), self._model, self._metadata, self._usage)


def _mapping_of(model: str, body: dict[str, Any]) -> Adapter:
    """Return the mapping for a body: an account's own model has no name that would tell."""
    if "embed" in model or "texts" in body:
        return Embeddings()
    if "messages" not in body:
        return Prompts()
    if "anthropic_version" in body:
        return Messages(PROVIDER)  # Claude
    if "inferenceConfig" in body or "schemaVersion" in body or _has_untyped_blocks(body):
        return Converse()  # Amazon Nova
    return ChatCompletions(PROVIDER)


def _has_untyped_blocks(body: dict[str, Any]) -> bool:
    contents = [peek(item, "content") for item in body["messages"]]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    return bool(blocks) and not any(peek(block, "type") for block in blocks)


def _counted(counts: Any, names: tuple[str, ...]) -> Usage | None:
    """Return token counts that the service itself made, in its headers or at a stream's end."""
    sent, written, read, created = (_number(peek(counts, name)) for name in names)
    if sent is None:
        return None
    inputs = sent + (read or 0) + (created or 0)
    return Usage(inputs, written, inputs + (written or 0), None, read, created)


def _number(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() else None


def _completed(facts: ResponseFacts, model: str, metadata: Any, usage: Usage | None) -> ResponseFacts:
    """Add what holds whoever made the model; what was asked for is its name, as prices go by that."""
    facts.usage = facts.usage or usage
    facts.request_id = peek(metadata, "RequestId")
    facts.model = None if is_named(model) else facts.model
    return facts
