"""Generated content: https://ai.google.dev/api/generate-content."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ..calls.facts import RequestFacts, ResponseFacts, ToolResult, Usage, count, known
from ..schema.values import plain
from .gemini_content import (
    PROVIDER,
    Turn,
    calls_in,
    files_in,
    model_of,
    parts_of,
    read,
    text_of,
    turns_of,
    word,
)
from .gemini_tools import tools_of

_TIERS: Final = {"ON_DEMAND_FLEX": "flex", "ON_DEMAND_PRIORITY": "priority"}


def usage_of(usage: Any) -> Usage | None:
    """Return token counts.

    The vendor counts cached tokens in the prompt's, results of its own tools beside the prompt and thoughts
    beside the answer; its total is the sum of the four: https://ai.google.dev/api/generate-content#UsageMetadata.
    """
    prompt, total = count(read(usage, "prompt_token_count")), count(read(usage, "total_token_count"))
    written, thoughts = (count(read(usage, f"{name}_token_count")) for name in ("candidates", "thoughts"))
    if prompt is None and total is None:
        return None
    sent = (prompt or 0) + (count(read(usage, "tool_use_prompt_token_count")) or 0)
    answered = (written or 0) + (thoughts or 0)
    if total is not None and total >= sent:
        answered = total - sent  # what nothing was written to is not counted
    cached = count(read(usage, "cached_content_token_count"))
    return Usage(sent, answered, sent + answered, thoughts, cached)


class GenerateContent:
    """Maps one call of a model; ``turn`` is the place of its answer in the conversation."""

    def __init__(self, contents: Any) -> None:
        turns = turns_of(contents)
        self.turn = len(turns) - (bool(turns) and turns[-1].is_model)

    def request(self, payload: Any) -> RequestFacts:
        """Map what is sent."""
        turns = turns_of(payload.get("contents"))
        config = payload.get("config")
        goes_on = read(config, "continuation_token") is not None  # with an answer to what was said before
        said = turns[-1].parts if turns and not turns[-1].is_model and not goes_on else []
        before = turns[:-1] if said else turns
        return RequestFacts(
            PROVIDER,
            model_of(payload.get("model")),
            user_text=text_of(said),
            history=(len(before), text_of(before[-1].parts) if before else ""),
            attachments=files_in(said),
            tool_results=_tool_results(said, before),
            system_prompt=text_of(parts_of(read(config, "system_instruction"))) or None,
            tools=tools_of(read(config, "tools")),
            temperature=known(read(config, "temperature"), int, float),
            top_p=known(read(config, "top_p"), int, float),
            max_output_tokens=count(read(config, "max_output_tokens")),
            service_tier=word(read(config, "service_tier")),
        )

    def response(self, payload: Any) -> ResponseFacts:
        """Map what comes back whole."""
        chunks = self.accumulator()
        chunks.add(_body_of(payload))
        return chunks.facts()

    def accumulator(self) -> Chunks:
        """Return a new gatherer of chunks."""
        return Chunks(self.turn)

    def prompt_text(self, payload: Any) -> str:
        """Return all words that are sent."""
        system = text_of(parts_of(read(payload.get("config"), "system_instruction")))
        said = [text_of(turn.parts) for turn in turns_of(payload.get("contents"))]
        return "\n".join(text for text in (system, *said) if text)


class Chunks:
    """Gathers an answer, of which every chunk is a whole response; of several candidates the first counts."""

    def __init__(self, turn: int) -> None:
        self._turn = turn
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._others: list[Any] = []  # calls, pictures
        self._usage: Any = None
        self._found = ResponseFacts()

    def add(self, chunk: Any) -> bool:
        """Take a chunk, and tell whether it carries a piece of the answer."""
        found = self._found
        if found.model is None:
            found.model = model_of(read(chunk, "model_version")) or None
            found.request_id = read(chunk, "response_id")
        usage = read(chunk, "usage_metadata")
        if usage is not None:  # of all that came so far
            self._usage = usage
        candidates = read(chunk, "candidates")
        if not candidates:
            self._blocked(read(chunk, "prompt_feedback"))
            return False
        candidate = candidates[0]
        reason = read(candidate, "finish_reason")
        if reason is not None:
            found.finish_reason = word(reason)
        parts = read(candidate, "content", "parts")
        if not parts:
            return False
        taken = [self._part(part) for part in parts]
        return True in taken

    def facts(self) -> ResponseFacts:
        """Return what came so far."""
        found, usage = self._found, usage_of(self._usage)
        found.text, found.reasoning = "".join(self._text), "".join(self._thoughts)
        found.tool_calls = calls_in(self._others, self._turn)
        found.attachments = files_in(self._others)
        found.service_tier = _TIERS.get(word(read(self._usage, "traffic_type")) or "")
        is_counted = usage is not None and (usage.output or not (found.text or found.reasoning))
        found.usage = usage if is_counted else None  # an answer may break off before it is counted
        return found

    def _part(self, part: Any) -> bool:
        text = read(part, "text")
        if isinstance(text, str):
            (self._thoughts if read(part, "thought") is True else self._text).append(text)
            return text != ""
        if read(part, "function_call") is None and read(part, "inline_data") is None:
            return False
        self._others.append(part)
        return True

    def _blocked(self, feedback: Any) -> None:
        reason = word(read(feedback, "block_reason"))
        if reason is not None:
            found = self._found
            found.finish_reason = found.error_type = reason
            found.error_message = word(read(feedback, "block_reason_message")) or "The prompt was blocked."


def _body_of(response: Any) -> Any:
    """Return an answer as it came over the wire, where the caller asked for no other."""
    body = read(response, "sdk_http_response", "body")
    if isinstance(body, str) and read(response, "candidates") is None:
        return msgspec.json.decode(body)
    return response


def _tool_results(said: list[Any], before: list[Turn]) -> list[ToolResult]:
    """Return what tools answered: each to the call it names, or else the first of its name that is open."""
    asked = calls_in(before[-1].parts, len(before) - 1) if before else []
    results: list[ToolResult] = []
    for part in said:
        answer = read(part, "function_response")
        if answer is None:
            continue
        call_id, name = word(read(answer, "id")), word(read(answer, "name"))
        call = next((one for one in asked if _is_answered(one, call_id, name)), None)
        if call is not None:
            asked.remove(call)
            call_id = call["id"]
        arguments = call["function"]["arguments"] if call is not None else None
        output, is_error = _output(read(answer, "response"))
        results.append(ToolResult(call_id or "", name, arguments, output, is_error))
    return results


def _is_answered(call: dict[str, Any], call_id: str | None, name: str | None) -> bool:
    return bool(call["id"] == call_id if call_id is not None else call["function"]["name"] == name)


def _output(response: Any) -> tuple[Any, bool]:
    """Return what a tool said, and whether that is an error.

    It is under ``output`` or ``error`` for the vendor, or under ``result`` where its client ran a function.
    """
    output = plain(response)
    if type(output) is not dict or len(output) != 1:
        return output, False
    ((name, only),) = output.items()
    return (only if name in ("output", "result", "error") else output), name == "error"
