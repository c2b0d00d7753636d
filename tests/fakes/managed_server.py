"""Anthropic's managed agents on 127.0.0.1: sessions whose events are listed, streamed and sent.

A test writes a session's events with ``say``; each gets an id and a time, which goes on by itself. With
``answers``, the agent answers each message with these words.
"""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote

from .model_server import Handler, Json, ModelServer

MODEL = "claude-haiku-4-5"
SESSION = "sesn_1"
USAGE = {
    "input_tokens": 8,
    "output_tokens": 7,
    "cache_read_input_tokens": 8,
    "cache_creation_input_tokens": 4,
}
_PATH = re.compile(r"/v1/sessions/([^/]+)(?:/threads/([^/]+))?(?:/(events|threads))?(/stream)?")
_PAGE = 3  # events; small, so that lists have several


def _agent(name: str, model: str = MODEL) -> Json:
    return {
        "type": "agent",
        "id": f"agent_{name}",
        "name": name,
        "version": 1,
        "model": {"id": model},
        "mcp_servers": [],
        "skills": [],
        "tools": [],
        "execution_identity": {"type": "service_account"},
    }


def _session(session_id: str) -> Json:
    return {
        "id": session_id,
        "type": "session",
        "agent": _agent("concierge"),
        "status": "idle",
        "environment_id": "env_1",
        "created_at": time_at(0),
        "updated_at": time_at(0),
        "metadata": {},
        "outcome_evaluations": [],
        "resources": [],
        "stats": {},
        "usage": {},
        "vault_ids": [],
    }


def _thread(thread_id: str, name: str, session_id: str) -> Json:
    return {
        "id": thread_id,
        "type": "session_thread",
        "agent": _agent(name, "claude-sonnet-4-5"),
        "parent_thread_id": None if name == "concierge" else "sthr_main",
        "session_id": session_id,
        "status": "idle",
        "created_at": time_at(0),
        "updated_at": time_at(0),
    }


def time_at(seconds: float) -> str:
    """Return a moment of the fake's day."""
    minutes, rest = divmod(seconds, 60)
    return f"2026-04-01T12:{int(minutes):02d}:{rest:09.6f}Z"


class _Handler(Handler):
    @property
    def _fake(self) -> ManagedServer:
        return self.server.fake  # type: ignore[return-value]

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        given = parse_qs(query)
        self._fake.requests.append({"path": path, "query": given, "headers": dict(self.headers), "body": {}})
        match = _PATH.fullmatch(unquote(path))
        assert match is not None, path
        session_id, thread_id, kind, is_stream = match.groups()
        if is_stream:
            self.stream(self._streamed(), request_id="req_1")
        elif kind == "events":
            self._list(self._fake.log[thread_id], given)
        elif kind == "threads":
            threads = [_thread(one, name, session_id) for one, name in self._fake.threads.items()]
            self.json(200, {"data": threads, "next_page": None})
        elif self._fake.fails:
            error = {"type": "not_found_error", "message": "no such session"}
            self.json(404, {"type": "error", "error": error})
        else:
            self.json(200, _session(session_id))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if "events" not in body:
            self.json(200, _session(SESSION))
            return
        sent = [self._fake.say(**event) for event in body["events"]]
        self._fake.answer()
        self.json(200, {"data": sent})

    def _list(self, events: list[Json], given: dict[str, list[str]]) -> None:
        since = given.get("created_at[gte]", [""])[0]
        wanted = [event for event in events if not since or (event["processed_at"] or "") >= since]
        start = int(given.get("page", ["0"])[0])
        end = start + _PAGE
        self.json(200, {"data": wanted[start:end], "next_page": str(end) if end < len(wanted) else None})

    def _streamed(self) -> Iterator[bytes]:
        fake, place = self._fake, len(self._fake.log[None])
        fake.is_streaming.set()
        while not fake.is_over.is_set() or place < len(fake.log[None]):
            if place == len(fake.log[None]):
                fake.is_over.wait(0.01)
                continue
            event = fake.log[None][place]
            place += 1
            yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


class ManagedServer(ModelServer):
    """The running fake: `log` has the events of the session and of its threads, by the threads' ids."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.reset()

    def reset(self) -> None:
        """Begin another day."""
        self.log: dict[str | None, list[Json]] = defaultdict(list)
        self.threads: dict[str, str] = {}
        self.is_streaming, self.is_over = threading.Event(), threading.Event()
        self.fails = False
        self.answers: str | None = None
        self.requests.clear()
        self._now = 0.0
        self._count = 0

    def say(self, type: str, *, thread: str | None = None, after: float = 1.0, **fields: Any) -> Json:  # noqa: A002
        """Write an event, some seconds after the one before."""
        self._now += after
        self._count += 1
        event = {"id": f"sevt_{self._count}", "type": type, "processed_at": time_at(self._now), **fields}
        self.log[thread].append(event)
        return event

    def answer(self) -> None:
        """Answer what was said, if there is an answer."""
        if self.answers is not None:
            self.say("session.status_running")
            self.request({"type": "agent.message", "content": text(self.answers)})
            self.say("session.status_idle", stop_reason={"type": "end_turn"})

    def request(self, *said: Json, thread: str | None = None, **fields: Any) -> None:
        """Write a request of the model's that took two seconds, and what came of it."""
        start = self.say("span.model_request_start", thread=thread)
        for event in said:
            self.say(**{"thread": thread, **event})
        end = {"model_request_start_id": start["id"], "model_usage": USAGE, **fields}
        self.say("span.model_request_end", thread=thread, after=2.0 - len(said), **end)


def text(words: str) -> list[Json]:
    """Return the content of a message."""
    return [{"type": "text", "text": words}]
