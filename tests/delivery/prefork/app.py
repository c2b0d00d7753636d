"""The application that real servers run: a client made at import, and an event for every request."""

from __future__ import annotations

import os
from typing import Any

from amplitude_ai_integrations import AIConfig, AmplitudeAI

from .settings import BEFORE, EARLY, FLUSHED, KEY, LEDGER, SERVER

ai = AmplitudeAI(api_key=os.environ[KEY], config=AIConfig(server_url=os.environ[SERVER]))


def say(text: str) -> None:
    """Track an event, and then note its id where no end of this process can take it back."""
    message_id = ai.track_ai_message("ada", text, "thread-1", "gpt-4o", "openai", 12.5, turn_id=7)
    line = f"{os.getpid()} {message_id}\n".encode()
    ledger = os.open(os.environ[LEDGER], os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.write(ledger, line)
    os.close(ledger)


def answer() -> bytes:
    """Do what every request asks for: say something, and tell who did."""
    say("yes, gladly")
    return str(os.getpid()).encode()


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    body = answer()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    body = answer()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if os.environ.get(BEFORE):
    for _ in range(EARLY):
        say("before the fork")
    if os.environ[BEFORE] == FLUSHED:
        ai.flush().result(10)
