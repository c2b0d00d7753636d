"""What a Flask view can look like: each lets an agent speak, without any id, at the place it is named for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask
from flask import Blueprint, Flask, Response, request, stream_with_context

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.flask import AmplitudeAIFlask

from .reading import AGENT

PAGE = Path(__file__)  # some file to send


class Missing(Exception):  # noqa: N818 - an error that the application has a page for
    """An error with a handler."""


def build(
    ai: AmplitudeAI, *, more: Callable[[Flask], None] | None = None, tracked: bool = True, **options: Any
) -> Flask:
    """Return an app with all views; `tracked=False` leaves the extension out."""
    app = Flask("tests", static_folder=str(PAGE.parent), static_url_path="/static")
    app.secret_key = "k"
    app.logger.disabled = True
    voice = Voice(ai)
    app.extensions["voice"] = voice
    register(app, voice)
    if more is not None:
        more(app)
    if tracked:
        AmplitudeAIFlask(app, ai, **{"agent_id": AGENT, **options})
    return app


class Voice:
    """An agent that says two things."""

    def __init__(self, ai: AmplitudeAI) -> None:
        self.ai = ai

    def ask(self, text: str = "hello") -> None:
        """A user's message, through the client itself."""
        self.ai.track_user_message(content=text)

    def answer(self, text: str = "hello") -> None:
        """A model's answer, through an agent's handle."""
        bot = self.ai.agent()
        bot.track_ai_message(f"you said {text}", model="gpt-4o-mini", provider="openai", latency_ms=5.0)

    def speak(self, text: str = "hello") -> None:
        """A whole exchange."""
        self.ask(text)
        self.answer(text)


def register(app: Flask, voice: Voice) -> None:
    _plain_views(app, voice)
    _streams(app, voice)
    _late_places(app, voice)
    _failures(app, voice)


def _plain_views(app: Flask, voice: Voice) -> None:
    blueprint = Blueprint("inner", __name__)

    @app.get("/plain-sync")
    def plain_sync() -> str:
        voice.speak(request.args.get("text", "hello"))
        return "done"

    @app.get("/plain-async")
    async def plain_async() -> str:
        voice.ask(request.args.get("text", "hello"))
        await asyncio.sleep(0)
        voice.answer(request.args.get("text", "hello"))
        return "done"

    @app.get("/in-tasks")
    async def in_tasks() -> str:
        voice.ask()
        await asyncio.gather(asyncio.to_thread(voice.answer))
        return "done"

    @blueprint.get("/sync")
    def in_blueprint() -> str:
        voice.speak()
        return "done"

    @blueprint.before_request
    def noticed() -> None:
        flask.g.noticed = True

    @app.get("/two-messages")
    def two_messages() -> str:
        voice.speak("one")
        voice.speak("two")
        return "done"

    @app.get("/own-session")
    def own_session() -> str:
        with voice.ai.agent().session():
            voice.speak()
        return "done"

    @app.get("/silent")
    def silent() -> str:
        return "ok"

    @app.get("/nothing")
    def nothing() -> Response:
        return Response(status=204)

    @app.get("/file")
    def file() -> Response:
        return flask.send_file(PAGE, mimetype="text/plain")

    app.register_blueprint(blueprint, url_prefix="/blueprint")


def _streams(app: Flask, voice: Voice) -> None:
    def pieces() -> Iterator[str]:
        voice.ask()
        yield "one "
        voice.answer()
        yield "two"

    @app.get("/streamed")
    def streamed() -> Response:
        return Response(pieces())

    @app.get("/streamed-with-context")
    def streamed_with_context() -> Response:
        return Response(stream_with_context(pieces()))

    @app.get("/streamed-from-async")
    async def streamed_from_async() -> Response:
        return Response(pieces())

    @app.get("/streamed-with-context-from-async")
    async def streamed_with_context_from_async() -> Response:
        return Response(stream_with_context(pieces()))

    @app.get("/spoken-before-the-stream")
    def spoken_before_the_stream() -> Response:
        def rest() -> Iterator[str]:
            yield "one "
            voice.answer()
            yield "two"

        voice.ask()
        return Response(rest())

    @app.get("/endless")
    def endless() -> Response:
        def body() -> Iterator[str]:
            voice.speak()
            while True:
                yield "more "
                time.sleep(0.002)

        return Response(body())


def _late_places(app: Flask, voice: Voice) -> None:
    @app.get("/call-on-close")
    def call_on_close() -> Response:
        voice.ask()
        response = Response("done")
        response.call_on_close(voice.answer)
        return response

    @app.get("/after-this-request")
    def after_this_request() -> str:
        @flask.after_this_request
        def later(response: Response) -> Response:
            voice.answer()
            return response

        voice.ask()
        return "done"

    @app.get("/teardown")
    def teardown() -> str:
        flask.g.speaks_at_teardown = True
        voice.ask()
        return "done"

    @app.teardown_request
    def torn_down(_error: BaseException | None) -> None:
        if flask.g.pop("speaks_at_teardown", False):
            voice.answer()


def _failures(app: Flask, voice: Voice) -> None:
    @app.get("/raising-before")
    def raising_before() -> str:
        voice.speak()
        raise LookupError("before")

    @app.get("/raising-async")
    async def raising_async() -> str:
        voice.speak()
        raise LookupError("before")

    @app.get("/raising-within")
    def raising_within() -> Response:
        def body() -> Iterator[str]:
            voice.speak()
            yield "one "
            raise LookupError("within")

        return Response(body())

    @app.get("/raising-afterwards")
    def raising_afterwards() -> str:
        @flask.after_this_request
        def later(_response: Response) -> Response:
            raise LookupError("before")

        voice.speak()
        return "done"

    @app.get("/refused")
    def refused() -> str:
        voice.speak()
        flask.abort(403)

    @app.get("/unavailable")
    def unavailable() -> tuple[str, int]:
        voice.speak()
        return "later", 503

    @app.get("/handled")
    def handled() -> str:
        voice.speak()
        raise Missing

    @app.errorhandler(Missing)
    def missing(_error: Missing) -> tuple[str, int]:
        return "not here", 404


SPEAKING = {
    "/plain-sync": "done",
    "/plain-async": "done",
    "/in-tasks": "done",
    "/blueprint/sync": "done",
    "/streamed": "one two",
    "/streamed-with-context": "one two",
    "/streamed-from-async": "one two",
    "/streamed-with-context-from-async": "one two",
    "/spoken-before-the-stream": "one two",
    "/call-on-close": "done",
    "/after-this-request": "done",
    "/teardown": "done",
}
SILENT = [
    ("GET", "/silent"),
    ("GET", "/no-such-page"),
    ("POST", "/silent"),
    ("OPTIONS", "/plain-sync"),
    ("HEAD", "/silent"),
    ("HEAD", "/streamed"),
    ("GET", "/nothing"),
    ("GET", "/file"),
    ("HEAD", "/file"),
    ("GET", "/static/reading.py"),
    ("GET", "/static/missing.py"),
]
