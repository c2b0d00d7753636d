"""What LiteLLM tells of a call, which is in the words of OpenAI's API whoever answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ..calls.facts import Adapter, RequestFacts, ResponseFacts
from ..pricing.names import infer_provider
from .openai_chat import ChatCompletions
from .openai_embeddings import Embeddings
from .openai_responses import Responses

_ADAPTERS: Final[dict[str, Callable[[str], Adapter]]] = {
    "completion": ChatCompletions,
    "acompletion": ChatCompletions,
    "text_completion": ChatCompletions,
    "atext_completion": ChatCompletions,
    "embedding": Embeddings,
    "aembedding": Embeddings,
    "responses": Responses,
    "aresponses": Responses,
}


def adapter_of(kwargs: Any) -> Adapter | None:
    """Return the mapping of a kind of call, or ``None`` for one that asks no model for words or vectors."""
    adapter = _ADAPTERS.get(str(kwargs.get("call_type")))
    if adapter is None:
        return None
    seller = str(kwargs.get("custom_llm_provider") or "")
    return LiteLLM(adapter(infer_provider(f"{seller}/model", seller) or seller))


class LiteLLM:
    """Maps calls as another mapping does, with answers as LiteLLM hands them out: models, and whole."""

    def __init__(self, inner: Adapter) -> None:
        self._inner = inner

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent."""
        return self._inner.request(payload)

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back."""
        response = payload["response"]
        answer = response.model_dump() if hasattr(response, "model_dump") else response
        facts = self._inner.response(_with_cache_writes(answer))
        facts.was_cached = payload["was_cached"]
        return facts

    def accumulator(self) -> WholeAnswer:
        """Return what takes the answer of a stream, which LiteLLM puts together."""
        return WholeAnswer(self)

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        return self._inner.prompt_text(payload)


class WholeAnswer:
    """Takes a streamed answer as one piece, when it is whole."""

    def __init__(self, adapter: LiteLLM) -> None:
        self._adapter = adapter
        self._facts = ResponseFacts()

    def add(self, chunk: Any) -> bool:
        """Take the answer; it says nothing of when its first piece came."""
        self._facts = self._adapter.response(chunk)
        return False

    def facts(self) -> ResponseFacts:
        """Return it."""
        return self._facts


def _with_cache_writes(answer: Any) -> Any:
    """Put what was written to Anthropic's cache where OpenAI has it; it is counted as sent already."""
    usage = answer.get("usage") if isinstance(answer, dict) else None
    written = (usage or {}).get("cache_creation_input_tokens")
    if not isinstance(usage, dict) or not isinstance(written, int):
        return answer
    details = {**(usage.get("prompt_tokens_details") or {}), "cache_write_tokens": written}
    return {**answer, "usage": {**usage, "prompt_tokens_details": details}}
