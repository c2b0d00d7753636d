"""A travel guide as a WSGI function. What Agent Analytics needs is `ai`, `client` and `application`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

from amplitude_ai_integrations import AmplitudeAI, OpenAI
from amplitude_ai_integrations.middleware import AmplitudeAIWSGIMiddleware

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
INSTRUCTIONS = "You are a travel guide. Answer briefly, in plain text without Markdown."

ai = AmplitudeAI()
client = OpenAI(amplitude=ai)  # the class of `openai` itself: it reads OPENAI_API_KEY, OPENAI_BASE_URL


def chat(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer the question in the request's body, word by word."""
    if environ["REQUEST_METHOD"] != "POST":
        start_response("405 Method Not Allowed", [("Content-Type", "text/plain"), ("Allow", "POST")])
        return [b"POST a question, as plain text.\n"]
    question = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return answer(question)


def answer(question: str) -> Iterator[bytes]:
    """Call the model, and pass its words on as they come."""
    messages: list[Any] = [
        {"role": "system", "content": INSTRUCTIONS},
        {"role": "user", "content": question},
    ]
    with client.chat.completions.create(
        model=MODEL,
        messages=messages,
        stream=True,
        stream_options={"include_usage": True},  # exact tokens, from servers other than OpenAI's too
    ) as stream:
        for chunk in stream:
            if chunk.choices and (text := chunk.choices[0].delta.content):
                yield text.encode()


application = AmplitudeAIWSGIMiddleware(
    chat,
    amplitude_ai=ai,
    agent_id="travel-guide",
    user_id_resolver=lambda environ: environ.get("REMOTE_USER"),  # set by a server that has people log in
    session_id_resolver=lambda environ: environ.get("HTTP_X_CONVERSATION_ID"),
)


class Server(ThreadingMixIn, WSGIServer):
    """The server of the standard library, a thread a request."""

    daemon_threads = True


if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[1]), application, Server) as server:
        server.serve_forever()
