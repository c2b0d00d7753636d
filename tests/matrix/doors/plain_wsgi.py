"""A plain WSGI application, with every way that the protocol has to answer."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from amplitude_ai_integrations.middleware import AmplitudeAIWSGIMiddleware

from ..options import WSGI
from ..speech import answer, ask, speak, speak_in_own_session, speak_slowly

PLAIN = ("Content-Type", "text/plain")


def two_pieces() -> Iterator[bytes]:
    ask()
    yield b"one "
    answer()
    yield b"two"


def spoken_before() -> Iterator[bytes]:
    yield b"one "
    answer()
    yield b"two"


def raising_within() -> Iterator[bytes]:
    speak()
    yield b"one "
    raise LookupError("within")


def endless() -> Iterator[bytes]:
    speak()
    while True:
        yield b"more " * 2_000
        time.sleep(0.005)


class Closing:
    """A body that speaks when it is closed."""

    def __iter__(self) -> Iterator[bytes]:
        ask()
        yield b"done"

    def close(self) -> None:
        answer()


STREAMS = {
    "/streamed-sync": two_pieces,
    "/raising-within": raising_within,
    "/endless": endless,
    "/closing": Closing,
}


def respond(environ: Any, start_response: Any) -> Iterable[bytes]:
    path, text = environ["PATH_INFO"], environ.get("HTTP_X_TEXT", "hello")
    if path in STREAMS:
        start_response("200 OK", [PLAIN])
        return STREAMS[path]()  # type: ignore[no-any-return]
    if path == "/plain-sync":
        speak(text)
    elif path == "/slow":
        speak_slowly()
    elif path == "/own-session":
        speak_in_own_session()
    elif path == "/written":
        write = start_response("200 OK", [PLAIN])
        ask()
        write(b"one ")
        answer()
        return [b"two"]
    elif path == "/spoken-before":
        ask()
        start_response("200 OK", [PLAIN])
        return spoken_before()
    elif path == "/raising-before":
        speak()
        raise LookupError("before")
    elif path == "/page-of-an-error":
        return page_of_an_error(start_response)
    elif path == "/file":
        start_response("200 OK", [PLAIN])
        wrapper = environ.get("wsgi.file_wrapper", lambda file: iter(lambda: file.read(4096), b""))
        return wrapper(Path(__file__).open("rb"))  # type: ignore[no-any-return]
    elif path != "/silent":
        start_response("404 Not Found", [PLAIN])
        return [b"nothing here"]
    start_response("200 OK", [PLAIN])
    return [b"ok" if path == "/silent" else b"done"]


def page_of_an_error(start_response: Any) -> list[bytes]:
    """Answer as an application does that makes a page of its error."""
    try:
        speak()
        raise LookupError("shown")
    except LookupError:
        start_response("500 Internal Server Error", [PLAIN], sys.exc_info())
        return [b"sorry"]


def signed_in(environ: Any, start_response: Any) -> Iterable[bytes]:
    """The layer that knows the user; it stands inside ours."""
    environ["signed_in"] = environ.get("HTTP_X_USER")
    return respond(environ, start_response)


app = AmplitudeAIWSGIMiddleware(signed_in, **WSGI)
