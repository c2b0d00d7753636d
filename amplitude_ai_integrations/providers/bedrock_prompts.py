"""Models that continue one text: Amazon Titan, Meta Llama, Mistral's and Cohere's older ones.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

from __future__ import annotations

from typing import Any, Final

from ..calls.facts import RequestFacts, ResponseFacts, Usage, count, known, peek
from .bedrock_models import PROVIDER

Paths = tuple[tuple[str, ...], ...]

_PROMPT: Final[Paths] = (("prompt",), ("inputText",), ("message",))
_TEMPERATURE: Final[Paths] = (("temperature",), ("textGenerationConfig", "temperature"))
_TOP_P: Final[Paths] = (("top_p",), ("p",), ("textGenerationConfig", "topP"))
_MOST_TOKENS: Final[Paths] = (
    ("max_tokens",),
    ("max_gen_len",),
    ("max_tokens_to_sample",),
    ("textGenerationConfig", "maxTokenCount"),
)
_ANSWERS: Final = ("results", "outputs", "generations", "choices")
_TEXT: Final[Paths] = (("outputText",), ("generation",), ("text",), ("completion",))
_FINISH: Final[Paths] = (("completionReason",), ("stop_reason",), ("finish_reason",))
_SENT: Final[Paths] = (
    ("inputTextTokenCount",),
    ("prompt_token_count",),
    ("meta", "billed_units", "input_tokens"),
)
_WRITTEN: Final[Paths] = (
    ("totalOutputTextTokenCount",),
    ("generation_token_count",),
    ("meta", "billed_units", "output_tokens"),
    ("tokenCount",),
)


def _first(value: Any, paths: Paths, *kinds: type) -> Any:
    """Return the first of these that is there and of these types."""
    found = (known(peek(value, *path), *kinds) for path in paths)
    return next((item for item in found if item is not None), None)


class Prompts:
    """Maps bodies with a prompt and its continuation."""

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent."""
        return RequestFacts(
            PROVIDER,
            "",
            user_text=_first(payload, _PROMPT, str) or "",
            history=len(known(payload.get("chat_history"), list) or ()),
            system_prompt=known(payload.get("preamble"), str),
            temperature=_first(payload, _TEMPERATURE, int, float),
            top_p=_first(payload, _TOP_P, int, float),
            max_output_tokens=_first(payload, _MOST_TOKENS, int),
        )

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back whole, or one piece of it."""
        answers = next((payload[name] for name in _ANSWERS if payload.get(name)), None)
        answer = answers[0] if isinstance(answers, list) else payload
        sent = count(_first(payload, _SENT, int))
        written = _first(payload, _WRITTEN, int)
        if written is None:
            written = _first(answer, _WRITTEN, int)
        return ResponseFacts(
            text=_first(answer, _TEXT, str) or "",
            finish_reason=_first(answer, _FINISH, str),
            usage=None if sent is None or written is None else Usage(sent, written, sent + written),
        )

    def accumulator(self) -> PromptPieces:
        """Return a new gatherer of pieces."""
        return PromptPieces(self)

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        history = known(payload.get("chat_history"), list) or ()
        said = [payload.get("preamble"), *(peek(item, "message") for item in history)]
        return "\n".join(text for text in [*said, _first(payload, _PROMPT, str)] if isinstance(text, str))


class PromptPieces:
    """Gathers a continuation; each piece looks as the whole does."""

    def __init__(self, adapter: Prompts) -> None:
        self._adapter = adapter
        self._text: list[str] = []
        self._found = ResponseFacts()
        self._counts: dict[str, Any] = {}

    def add(self, chunk: Any) -> bool:
        """Take a piece, and tell whether it carries words."""
        self._counts.update({name: value for name, value in chunk.items() if count(value) is not None})
        piece = self._adapter.response(chunk)
        self._found.finish_reason = piece.finish_reason or self._found.finish_reason
        self._text.append(piece.text)
        return bool(piece.text)

    def facts(self) -> ResponseFacts:
        """Return what came so far."""
        self._found.text = "".join(self._text)
        self._found.usage = self._adapter.response(self._counts).usage
        return self._found
