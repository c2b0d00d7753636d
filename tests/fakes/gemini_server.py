"""Gemini's API on 127.0.0.1: generated content, whole and streamed, and embeddings, at both kinds of address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .model_server import TEXT, THOUGHT, TOOL_ARGUMENTS, Handler, Json, ModelServer, Script

__all__ = ["PICTURE", "TEXT", "THOUGHT", "TOOL_ARGUMENTS", "VECTOR", "GeminiServer"]

PROMPT, CACHED, THOUGHTS, WRITTEN = 20, 8, 3, 4  # tokens
BY_TOOLS = 5  # tokens that the vendor's own tools came back with, where `search` asks for them
VECTOR = (0.5, 0.25, 0.125)
PICTURE = "iVBORw0KGgo="
TOKEN = "Z28gb24="
_STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}


def _script(body: Json) -> Script:
    words, has_result = "", False
    for content in body.get("contents", []):
        parts = content.get("parts", [])
        text = " ".join(part["text"] for part in parts if "text" in part)
        if content.get("role", "user") == "user" and text:
            words, has_result = text, False
        has_result = has_result or any("functionResponse" in part for part in parts)
    return Script(words, has_result=has_result)


def _calls(body: Json, script: Script) -> list[Json]:
    tools = [one for tool in body.get("tools", []) for one in tool.get("functionDeclarations", [])]
    names = [tool["name"] for tool in tools] or ["get_weather"]
    calls = [{"name": name, "args": json.loads(script.arguments)} for name in names]
    calls = calls if script.asks("all") else calls[:1]
    named = [{**call, "id": f"call_{place}"} for place, call in enumerate(calls, 1)]
    return [{"functionCall": call} for call in (calls if script.asks("unnamed") else named)]


def _parts(body: Json, script: Script) -> list[Json]:
    """Return the parts of an answer, the piece of text each in one of its own."""
    parts: list[Json] = [{"text": script.thought, "thought": True}] if script.asks("think") else []
    if script.wants_tool:
        return parts + _calls(body, script)
    if script.asks("draw"):
        parts.append({"inlineData": {"mimeType": "image/png", "data": PICTURE}})
    return [*parts, *({"text": piece} for piece in script.pieces)]


def _usage(script: Script, written: int) -> Json:
    """Return counts as they stand when so much of the answer was written."""
    by_tools = BY_TOOLS if script.asks("search") else 0
    counts: Json = {
        "promptTokenCount": PROMPT,
        "candidatesTokenCount": written,
        "totalTokenCount": PROMPT + by_tools + THOUGHTS + written,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": PROMPT}],
        "cachedContentTokenCount": CACHED,
        "thoughtsTokenCount": THOUGHTS,
    }
    return {**counts, "toolUsePromptTokenCount": by_tools} if by_tools else counts


def _end(body: Json, script: Script) -> Json:
    """Return how an answer ends; with `more`, the first one says how to ask for the rest."""
    if script.asks("more") and "continuationToken" not in json.dumps(body):
        return {"finishReason": "CONTINUATION", "continuationToken": TOKEN}
    return {"finishReason": "MAX_TOKENS" if script.asks("short") else "STOP"}


def _response(model: str, script: Script, parts: list[Json], written: int, end: Json) -> Json:
    candidate: Json = {"content": {"parts": parts, "role": "model"}, "index": 0, **end}
    response: Json = {"candidates": [candidate], "modelVersion": model, "responseId": "resp_1"}
    if script.asks("blocked"):
        response = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": model}
        return {**response, "usageMetadata": {"promptTokenCount": PROMPT, "totalTokenCount": PROMPT}}
    return response if script.asks("nousage") else {**response, "usageMetadata": _usage(script, written)}


def whole(model: str, body: Json, script: Script) -> Json:
    parts = _parts(body, script)
    pieces = [part["text"] for part in parts if "text" in part and "thought" not in part]
    others = [part for part in parts if "text" not in part or "thought" in part]
    said = [{"text": "".join(pieces)}] if pieces else []
    return _response(model, script, others + said, WRITTEN, _end(body, script))


def chunks(model: str, body: Json, script: Script) -> Iterator[Json]:
    parts = _parts(body, script)
    calls = [part for part in parts if "functionCall" in part]  # all at once
    pieces = [[part] for part in parts if part not in calls] + ([calls] if calls else [])
    for place, piece in enumerate(pieces, 1):
        is_last = place == len(pieces)
        written, end = (WRITTEN, _end(body, script)) if is_last else (place, {})
        yield _response(model, script, piece, written, end)
        if script.asks("blocked"):
            return


def embeddings(body: Json) -> Json:
    if "instances" in body:
        statistics = {"truncated": False, "token_count": 2}
        embedding = {"values": VECTOR, "statistics": statistics}
        return {
            "predictions": [{"embeddings": embedding} for _instance in body["instances"]],
            "metadata": {"billableCharacterCount": 9},
        }
    return {"embeddings": [{"values": VECTOR} for _request in body["requests"]]}


class _Handler(Handler):
    def script(self, body: Json) -> Script:
        return _script(body)

    def answer(self, body: Json, script: Script) -> None:
        _before, _models, name = self.path.partition("?")[0].rpartition("models/")
        model, _colon, action = name.partition(":")
        if action == "streamGenerateContent":
            self.stream(self._events(chunks(model, body, script), script))
        elif action == "generateContent":
            self.whole(whole(model, body, script), script)
        elif action == "countTokens":
            self.whole({"totalTokens": PROMPT}, script)
        else:
            self.whole(embeddings(body), script)

    def refuse(self, status: int, script: Script) -> None:
        self.json(status, _error(status, f"refused: {script.words}"))

    def _events(self, responses: Iterator[Json], script: Script) -> Iterator[bytes]:
        pieces = 0
        for response in responses:
            pieces += "text" in _first_part(response)
            yield _event(response)
            if pieces == 2:
                self.interrupt(script)
                if script.asks("fail"):
                    yield _event(_error(503, f"broken: {script.words}"))
                    return
                pieces += 1


def _first_part(response: Json) -> Json:
    candidates: Any = response.get("candidates")
    part: Json = candidates[0]["content"]["parts"][0] if candidates else {}
    return {} if "thought" in part else part


def _event(value: Json) -> bytes:
    return b"data: %s\r\n\r\n" % json.dumps(value).encode()


def _error(status: int, message: str) -> Json:
    name = _STATUSES.get(status, "UNAVAILABLE" if status == 503 else "INTERNAL")
    return {"error": {"code": status, "message": message, "status": name}}


class GeminiServer(ModelServer):
    """The running fake; `options` leads clients to it."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.options: Json = {"base_url": self.address}
