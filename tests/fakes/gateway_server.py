"""The OpenAI-compatible APIs of other sellers on 127.0.0.1, each with the fields of its own.

One server plays them all: a client that takes it for its proxy keeps the seller's address, and the host in
that address says who is to answer. It is scripted by the words of `model_server`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

from .model_server import Handler, Json, ModelServer, Script
from .openai_server import _script, chat_chunks, chat_whole, embeddings

SENT, WRITTEN, CACHED, THOUGHT = 20, 7, 8, 3
COST = 0.00042
PLAIN: Json = {"prompt_tokens": SENT, "completion_tokens": WRITTEN, "total_tokens": SENT + WRITTEN}
DETAILED: Json = {
    **PLAIN,
    "prompt_tokens_details": {"cached_tokens": CACHED},
    "completion_tokens_details": {"reasoning_tokens": THOUGHT},
}


class Dialect(NamedTuple):
    """What one seller says differently; `counts` says in which chunks of a stream tokens are counted."""

    usage: Json
    counts: str  # "asked", "last", "every", "x_groq"
    reasoning: str = "reasoning_content"
    whole: Json | None = None
    chunk: Json | None = None


DIALECTS: dict[str, Dialect] = {
    # https://openrouter.ai/docs/use-cases/usage-accounting
    "openrouter.ai": Dialect(
        {**DETAILED, "cost": COST, "is_byok": False, "cost_details": {"upstream_inference_cost": None}},
        "last",
        "reasoning",
        {"provider": "DeepInfra"},
        {"provider": "DeepInfra"},
    ),
    # https://console.groq.com/docs/api-reference
    "api.groq.com": Dialect(
        {**PLAIN, "queue_time": 0.01, "prompt_time": 0.001, "completion_time": 0.02, "total_time": 0.021},
        "x_groq",
        "reasoning",
        {"x_groq": {"id": "req_01"}},
    ),
    # https://api-docs.deepseek.com/api/create-chat-completion
    "api.deepseek.com": Dialect(
        {
            **PLAIN,
            "prompt_cache_hit_tokens": CACHED,
            "prompt_cache_miss_tokens": SENT - CACHED,
            "completion_tokens_details": {"reasoning_tokens": THOUGHT},
        },
        "asked",
    ),
    # https://docs.x.ai/docs/guides/reasoning: what was thought is counted beside what was written
    "api.x.ai": Dialect({**DETAILED, "completion_tokens": WRITTEN - THOUGHT, "num_sources_used": 0}, "every"),
    # https://docs.perplexity.ai/api-reference/chat-completions-post
    "api.perplexity.ai": Dialect(
        {
            **PLAIN,
            "search_context_size": "low",
            "cost": {"input_tokens_cost": 0.00002, "request_cost": 0.0004, "total_cost": COST},
        },
        "every",
        whole={"citations": ["https://example.com/a"], "search_results": [{"title": "A"}]},
        chunk={"citations": ["https://example.com/a"]},
    ),
    # https://inference-docs.cerebras.ai/api-reference/chat-completions
    "api.cerebras.ai": Dialect(DETAILED, "last", "reasoning", {"time_info": {"total_time": 0.01}}),
    # https://fireworks.ai/docs/api-reference/post-chatcompletions
    "api.fireworks.ai": Dialect(DETAILED, "last"),
    # https://docs.together.ai/reference/chat-completions-1
    "api.together.xyz": Dialect(PLAIN, "last", "reasoning", {"prompt": []}),
    # https://docs.ollama.com/api/openai-compatibility
    "localhost:11434": Dialect(PLAIN, "asked", "reasoning", {"system_fingerprint": "fp_ollama"}),
    # https://docs.vllm.ai/en/latest/features/reasoning_outputs/
    "localhost:8000": Dialect(
        {**PLAIN, "prompt_tokens_details": None}, "asked", "reasoning", {"prompt_logprobs": None}
    ),
    # https://lmstudio.ai/docs/developer/openai-compat
    "localhost:1234": Dialect(PLAIN, "asked", whole={"stats": {}}),
    # https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
    "acme.openai.azure.com": Dialect(DETAILED, "asked", whole={"prompt_filter_results": []}),
    "acme.services.ai.azure.com": Dialect(PLAIN, "asked"),
}


def _of_the_seller(value: Any, dialect: Dialect) -> Any:
    """Return a message, or the delta of one, with reasoning under the seller's own name."""
    named = {dialect.reasoning if name == "reasoning_content" else name: item for name, item in value.items()}
    if dialect.reasoning == "reasoning" and "reasoning" in named:
        named["reasoning_details"] = [{"type": "reasoning.text", "text": named["reasoning"], "index": 0}]
    return named


def whole(body: Json, script: Script, dialect: Dialect) -> Json:
    answer = {**chat_whole(body, script), **(dialect.whole or {})}
    (choice,) = answer["choices"]
    message = _of_the_seller(choice["message"], dialect)
    counted = {} if script.asks("nousage") else {"usage": dialect.usage}
    answer.pop("usage", None)
    return {**answer, "choices": [{**choice, "message": message}], **counted}


def chunks(body: Json, script: Script, dialect: Dialect) -> Iterator[Json]:
    is_asked = (body.get("stream_options") or {}).get("include_usage", False)
    counted = {} if script.asks("nousage") else {"usage": dialect.usage}
    for chunk in chat_chunks({**body, "stream_options": None}, script):
        (choice,) = chunk["choices"]
        own = {**chunk, **(dialect.chunk or {})}
        own["choices"] = [{**choice, "delta": _of_the_seller(choice["delta"], dialect)}]
        if dialect.counts == "every" or (dialect.counts == "last" and choice["finish_reason"]):
            own.update(counted)
        if dialect.counts == "x_groq" and choice["finish_reason"]:
            own["x_groq"] = {"id": "req_01", **counted}
        yield own
    if is_asked and dialect.counts in ("asked", "x_groq"):
        yield {**chunk, "choices": [], **counted}


class _Handler(Handler):
    plain: ClassVar[Dialect] = Dialect(DETAILED, "asked")

    def script(self, body: Json) -> Script:
        return _script(body)

    def answer(self, body: Json, script: Script) -> None:
        host = self.path.partition("://")[2].partition("/")[0]
        dialect = DIALECTS.get(host, self.plain)
        if self.path.endswith("/embeddings"):
            self.whole(embeddings(body, script), script)
        elif body.get("stream"):
            self.stream(self._events(chunks(body, script, dialect)))
        else:
            self.whole(whole(body, script, dialect), script)

    def refuse(self, status: int, script: Script) -> None:
        self.json(status, {"error": {"message": f"refused: {script.words}", "code": status}})

    def _events(self, events: Iterator[Json]) -> Iterator[bytes]:
        yield b": OPENROUTER PROCESSING\n\n"
        for event in events:
            yield f"data: {json.dumps(event)}\n\n".encode()
        yield b"data: [DONE]\n\n"


class GatewayServer(ModelServer):
    """The running fake; its `address` is its clients' proxy."""

    def __init__(self) -> None:
        super().__init__(_Handler)
