"""Web applications that ask a model on each request, and tell which process did."""

from __future__ import annotations

import os

from ask import ask
from flask import Flask

app = Flask(__name__)


@app.get("/")
def answer():
    assert ask("Hi")
    return str(os.getpid())


async def asgi(scope, receive, send):
    assert scope["type"] == "http"
    body = answer().encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})
