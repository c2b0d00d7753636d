"""Flask: sync and async views, streams with and without the request's context."""

from __future__ import annotations

from flask import Flask, Response, g, request, send_file, stream_with_context

from amplitude_ai_integrations.flask import AmplitudeAIFlask

from ..options import FLASK
from ..speech import answer, ask, speak, speak_in_own_session, speak_slowly
from . import plain_wsgi

app = Flask(__name__)
AmplitudeAIFlask(app, **FLASK)


@app.before_request
def sign_in() -> None:
    g.signed_in = request.headers.get("x-user")


@app.get("/plain-sync")
def plain_sync() -> str:
    speak(request.headers.get("x-text", "hello"))
    return "done"


@app.get("/plain-async")
async def plain_async() -> str:
    speak(request.headers.get("x-text", "hello"))
    return "done"


@app.get("/streamed-sync")
def streamed_sync() -> Response:
    return Response(plain_wsgi.two_pieces())


@app.get("/streamed-in-context")
def streamed_in_context() -> Response:
    return Response(stream_with_context(plain_wsgi.two_pieces()))


@app.get("/spoken-before")
def spoken_before() -> Response:
    ask()
    return Response(plain_wsgi.spoken_before())


@app.get("/closing")
def closing() -> Response:
    ask()
    response = Response("done")
    response.call_on_close(answer)
    return response


@app.get("/slow")
def slow() -> str:
    speak_slowly()
    return "done"


@app.get("/own-session")
def own_session() -> str:
    speak_in_own_session()
    return "done"


@app.get("/raising-before")
def raising_before() -> str:
    speak()
    raise LookupError("before")


@app.get("/raising-within")
def raising_within() -> Response:
    return Response(plain_wsgi.raising_within())


@app.get("/endless")
def endless() -> Response:
    return Response(plain_wsgi.endless())


@app.get("/silent")
def silent() -> str:
    return "ok"


@app.get("/file")
def file() -> Response:
    return send_file(__file__)
