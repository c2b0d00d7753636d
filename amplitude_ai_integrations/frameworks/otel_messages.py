"""Messages of spans, in whichever way they are written, as messages of OpenAI's chat completions.

Today's GenAI conventions write lists of messages with parts, as JSON or as they are; yesterday's wrote
an event for each message; OpenLLMetry and OpenInference write a key for each piece.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from . import otel_blocks
from .otel_attributes import Attributes, listed, numbered, parsed

Message = dict[str, Any]
Event = tuple[str, Attributes]  # its name and its attributes

_ROLES: Final = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}
_CHOICE: Final = "gen_ai.choice"
_ROLE_WORDS: Final = {"human": "user", "ai": "assistant", "model": "assistant", "developer": "system"}
_THOUGHTS: Final = ("reasoning", "thinking")
_CALLS: Final = ("tool_call", "tool_use")
_RESULTS: Final = ("tool_call_response", "tool_result")


def asked(attributes: Attributes, events: list[Event]) -> list[Message]:
    """Return the messages that a span says were sent."""
    told = [event for event in [*events, *_logged(attributes)] if event[0] in _ROLES]
    found = (
        listed(attributes.get("gen_ai.input.messages"))
        or _flat(numbered(attributes, "gen_ai.prompt"))
        or _flat(numbered(attributes, "llm.prompts"))
        or _flat(_bare(numbered(attributes, "llm.input_messages"), "message."))
        or _told([event for event in told if event[0] != _CHOICE])
        or listed(attributes.get("pydantic_ai.all_messages"))
        or otel_blocks.sent(attributes)
        or _whole(attributes.get("gen_ai.prompt"), "user")
        or _whole(attributes.get("input.value"), "user")
    )
    messages = [part for message in found for part in _chat(message)]
    system = _words(parsed(attributes.get("gen_ai.system_instructions")))
    if system and not any(message["role"] == "system" for message in messages):
        messages.insert(0, {"role": "system", "content": system})
    return _with_answers(messages)


def answered(attributes: Attributes, events: list[Event]) -> Message:
    """Return the message that a span says came back: of several, the first that says something."""
    told = [event for event in [*events, *_logged(attributes)] if event[0] == _CHOICE]
    found = (
        otel_blocks.joined(listed(attributes.get("gen_ai.output.messages")))
        or _flat(numbered(attributes, "gen_ai.completion"))
        or _flat(_bare(numbered(attributes, "llm.output_messages"), "message."))
        or _told(told)
        or _whole(attributes.get("gen_ai.completion"), "assistant")
        or otel_blocks.returned(attributes)
        or _plain(attributes)
    )
    answer: Message = {}
    for message in found:
        reason = message.get("finish_reason")
        for part in _chat({**message, "role": "assistant"}):
            answer = {**part, **{name: value for name, value in answer.items() if value}}
        if reason:
            answer.setdefault("finish_reason", reason)
        if answer.get("content") or answer.get("tool_calls"):
            break
    return answer


def words(messages: Iterable[Message]) -> str:
    """Return all that messages say, to estimate its tokens."""
    return "\n".join(_words(message.get("content")) for message in messages)


def _chat(message: Mapping[str, Any]) -> list[Message]:
    """Return one message as OpenAI writes it; results of tools become messages of their own."""
    role = str(message.get("role") or message.get("type") or "user").lower()
    role = _ROLE_WORDS.get(role, role)
    parts = _parts(message.get("parts", message.get("content")))
    results = [_result(part) for part in parts if part.get("type") in _RESULTS]
    if role == "tool":
        return results or [_result({**message, "response": message.get("content")})]
    calls = [*listed(message.get("tool_calls")), *(part for part in parts if part.get("type") in _CALLS)]
    thoughts = [part for part in parts if part.get("type") in _THOUGHTS]
    reasoning = "\n".join(filter(None, [_words(message.get("reasoning_content")), *map(_thought, thoughts)]))
    kept = [_part(part) for part in parts if part.get("type") not in (*_RESULTS, *_CALLS, *_THOUGHTS)]
    if results and not kept and not calls:
        return results
    chat: Message = {"role": role, "content": kept}
    if reasoning:
        chat["reasoning_content"] = reasoning
    if calls:
        chat["tool_calls"] = [_call(call) for call in calls]
    return [*results, chat]


def _thought(part: Mapping[str, Any]) -> str:
    return _words(parsed(_words(part)))  # OpenLLMetry writes a list of summaries as JSON


def _parts(content: Any) -> list[Mapping[str, Any]]:
    """Return a content as parts."""
    several = content if isinstance(content, (list, tuple)) else [content]
    parts = [{"type": "text", "text": part} if isinstance(part, str) else part for part in several]
    return [part for part in parts if isinstance(part, Mapping)]


def _call(call: Mapping[str, Any]) -> Message:
    inner = call.get("function")
    function = inner if isinstance(inner, Mapping) else call
    arguments = next((function[name] for name in ("arguments", "input") if name in function), None)
    if arguments is not None and not isinstance(arguments, str):
        arguments = json.dumps(arguments, separators=(",", ":"), ensure_ascii=False, default=str)
    return {
        "type": "function",
        "id": call.get("id"),
        "function": {"name": function.get("name"), "arguments": arguments},
    }


def _result(part: Mapping[str, Any]) -> Message:
    names = ("response", "result", "content")
    given = next((part[name] for name in names if part.get(name) is not None), "")
    shown = _words(given) or (given if isinstance(given, str) else json.dumps(given, default=str))
    ids = ("id", "tool_call_id", "tool_use_id")
    call_id = next((part[name] for name in ids if part.get(name)), None)
    return {"role": "tool", "tool_call_id": call_id, "name": part.get("name"), "content": shown}


def _part(part: Mapping[str, Any]) -> Message:
    """Return a part of a message's content: words, or a file in OpenAI's words."""
    kind = part.get("type")
    if kind in ("blob", "uri", "file"):
        return _file(part)
    shown = part.get("text", part.get("content"))
    if isinstance(shown, str):
        return {"type": "text", "text": shown}
    return dict(part)


def _file(part: Mapping[str, Any]) -> Message:
    mime_type = part.get("mime_type") or "application/octet-stream"
    data = part.get("content")
    url = part.get("uri") or (f"data:{mime_type};base64,{data}" if isinstance(data, str) else "")
    modality = part.get("modality") or str(mime_type).partition("/")[0]
    if modality in ("image", "video"):
        return {"type": f"{modality}_url", f"{modality}_url": {"url": url}}
    if modality == "audio":
        form = str(mime_type).partition("/")[2]
        return {"type": "input_audio", "input_audio": {"data": data, "format": form}}
    return {"type": "input_file", "file_url": part.get("uri"), "file_data": url if data else None}


def _with_answers(messages: list[Message]) -> list[Message]:
    """Put an answer before results that stand without one: some leave out those that only ask for tools."""
    whole: list[Message] = []
    for message in messages:
        if message["role"] == "tool" and (not whole or whole[-1]["role"] not in ("assistant", "tool")):
            whole.append({"role": "assistant", "content": ""})
        whole.append(message)
    return whole


def _flat(rows: list[dict[str, Any]]) -> list[Message]:
    """Return messages of which each piece has a key of its own."""
    messages = []
    for row in rows:
        message = {key: value for key, value in row.items() if "." not in key}
        message["content"] = _blocks(message.get("content"))
        parts = [_bare_part(part) for part in _bare(numbered(row, "contents"), "message_content.")]
        if parts:
            message["content"] = parts
        calls = _bare(numbered(row, "tool_calls"), "tool_call.")
        if calls:
            message["tool_calls"] = [
                {key.removeprefix("function."): value for key, value in call.items()} for call in calls
            ]
        messages.append(message)
    return messages


def _bare(rows: list[dict[str, Any]], prefix: str) -> list[dict[str, Any]]:
    return [{key.removeprefix(prefix): value for key, value in row.items()} for row in rows]


def _bare_part(part: Mapping[str, Any]) -> Message:
    url = part.get("image.image.url")
    return {"type": "image_url", "image_url": {"url": url}} if url else dict(part)


def of_tool(said: Any, events: list[Event], name: str) -> Any:
    """Return what a tool was given or returned, which Strands says in an event and in blocks of text."""
    if said is None:
        told = next((more for event, more in events if event == name), {})
        said = told.get("message", told.get("content"))
    blocks = parsed(said)
    is_text = isinstance(blocks, list) and all(_is_bare_text(block) for block in blocks)
    return _words(blocks) or said if is_text else said


def _is_bare_text(block: Any) -> bool:
    return isinstance(block, Mapping) and block.keys() == {"text"}


def _blocks(content: Any) -> Any:
    """Return content that is a list of parts in JSON as that list, and any other as it is."""
    found = parsed(content)
    parts = otel_blocks.typed(found)
    if parts is not None:
        return parts
    is_list = isinstance(found, list) and all(isinstance(part, dict) and "type" in part for part in found)
    return found if is_list else content


def _told(events: list[Event]) -> list[Message]:
    """Return the messages that events say, an event for each."""
    messages = []
    for name, attributes in events:
        inner = parsed(attributes.get("message"))
        message = {**attributes, **(inner if isinstance(inner, dict) else {})}
        if inner and not isinstance(inner, dict):  # its content alone
            message["content"] = inner
        message["content"] = _blocks(message.get("content"))
        messages.append({**message, "role": message.get("role") or _ROLES[name]})
    return messages


def _logged(attributes: Attributes) -> list[Event]:
    """Return the events that a span has in one attribute, as JSON."""
    found = listed(attributes.get("events")) or listed(attributes.get("all_messages_events"))
    return [(str(event.get("event.name")), event) for event in found]


def _whole(value: Any, role: str) -> list[Message]:
    """Return the messages in one value: a list of them, a request that has one, or words."""
    found = parsed(value)
    if isinstance(found, Mapping):
        found = found.get("messages")
        return listed(found)
    if isinstance(found, str) and found:
        return [{"role": role, "content": found}]
    return [item for item in listed(found) if "role" in item]


def _plain(attributes: Attributes) -> list[Message]:
    """Return the answer that is plain text beside a span's messages."""
    value = attributes.get("output.value")
    is_words = isinstance(value, str) and attributes.get("output.mime_type") != "application/json"
    return [{"content": value}] if is_words else []


def _words(content: Any) -> str:
    """Return the words of a content: a text, or parts of it."""
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        return _words(next((content[name] for name in ("text", "content") if content.get(name)), ""))
    if isinstance(content, (list, tuple)):
        return "\n".join(shown for part in content if (shown := _words(part)))
    return ""
