"""What a WSGI application can look like: in each an agent speaks, without any id, at the place it is named for."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from amplitude_ai_integrations import AmplitudeAI

PAGE = Path(__file__)  # some file to send


def text() -> list[tuple[str, str]]:
    """Return headers; a list of one's own, since servers add to it."""
    return [("Content-Type", "text/plain")]


Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


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


class Pieces:
    """A body that is an iterator, and has no `close`."""

    def __init__(self, *steps: Callable[[], Any]) -> None:
        self.steps = list(steps)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self.steps:
            raise StopIteration
        self.steps.pop(0)()
        return b"piece "


class Closing(Pieces):
    """The same, with something to say when it is closed."""

    def __init__(self, closing: Callable[[], Any], *steps: Callable[[], Any]) -> None:
        super().__init__(*steps)
        self.close = closing


class Sized:
    """A body that is iterable and knows its length, and is no list."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    def __len__(self) -> int:
        return len(self.pieces)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces)


def applications(ai: AmplitudeAI) -> dict[str, Application]:
    """Return the applications by the names of what they do."""
    voice = Voice(ai)
    return {**_wholes(voice), **_iterators(voice), **_failing(voice)}


def _wholes(voice: Voice) -> dict[str, Application]:
    def a_list(environ: Any, start_response: Any) -> Iterable[bytes]:
        voice.speak()
        start_response("200 OK", text())
        return [b"done"]

    def a_list_of_two(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", text())
        voice.speak()
        return [b"one ", b"two"]

    def a_tuple(environ: Any, start_response: Any) -> Iterable[bytes]:
        voice.speak()
        start_response("200 OK", text())
        return (b"done",)

    def an_empty_list(environ: Any, start_response: Any) -> Iterable[bytes]:
        voice.speak()
        start_response("204 No Content", [])
        return []

    def a_sized_body(environ: Any, start_response: Any) -> Iterable[bytes]:
        voice.speak()
        start_response("200 OK", text())
        return Sized(b"done")

    def written(environ: Any, start_response: Any) -> Iterable[bytes]:
        write = start_response("200 OK", text())
        voice.ask()
        write(b"one ")
        voice.answer()
        write(b"two ")
        return [b"three"]

    return {
        "a list": a_list,
        "a list of two": a_list_of_two,
        "a tuple": a_tuple,
        "an empty list": an_empty_list,
        "a sized body": a_sized_body,
        "written": written,
    }


def _iterators(voice: Voice) -> dict[str, Application]:
    def a_generator(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", text())  # not called before the first piece is asked for
        voice.ask()
        yield b"one "
        voice.answer()
        yield b"two"

    def a_generator_after_the_start(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", text())
        voice.ask()

        def rest() -> Iterator[bytes]:
            yield b"one "
            voice.answer()

        return rest()

    def an_iterator(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", text())
        return Pieces(voice.ask, voice.answer)

    def an_iterator_that_speaks_at_its_close(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", text())
        return Closing(voice.answer, voice.ask)

    def a_generator_that_speaks_at_its_end(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", text())
        try:
            voice.ask()
            yield b"one "
        finally:
            voice.answer()

    return {
        "a generator": a_generator,
        "a generator after the start": a_generator_after_the_start,
        "an iterator": an_iterator,
        "an iterator that speaks at its close": an_iterator_that_speaks_at_its_close,
        "a generator that speaks at its end": a_generator_that_speaks_at_its_end,
    }


def _failing(voice: Voice) -> dict[str, Application]:
    def raising_before(environ: Any, start_response: Any) -> Iterable[bytes]:
        voice.speak()
        raise LookupError("before")

    def raising_after_the_start(environ: Any, start_response: Any) -> Iterable[bytes]:
        voice.speak()
        start_response("200 OK", text())
        raise LookupError("after the start")

    def raising_within(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", text())
        voice.speak()
        yield b"one "
        raise LookupError("within")

    def raising_at_its_close(environ: Any, start_response: Any) -> Iterable[bytes]:
        def closing() -> None:
            raise LookupError("at its close")

        start_response("200 OK", text())
        return Closing(closing, voice.speak)

    def a_page_of_an_error(environ: Any, start_response: Any) -> Iterable[bytes]:
        voice.speak()
        start_response("200 OK", [*text(), ("X-First", "1")])
        try:
            raise LookupError("made a page")
        except LookupError:
            start_response("500 Oops", text(), sys.exc_info())
        return [b"sorry"]

    return {
        "raising before": raising_before,
        "raising after the start": raising_after_the_start,
        "raising within": raising_within,
        "raising at its close": raising_at_its_close,
        "a page of an error": a_page_of_an_error,
    }


FAILING = {
    "raising before",
    "raising after the start",
    "raising within",
    "raising at its close",
    "a page of an error",
}
WHOLE = {
    "a list": "done",
    "a list of two": "one two",
    "a tuple": "done",
    "an empty list": "",
    "a sized body": "done",
    "written": "one two three",
    "a generator": "one two",
    "a generator after the start": "one ",
    "an iterator": "piece piece ",
    "an iterator that speaks at its close": "piece ",
    "a generator that speaks at its end": "one ",
}


def silent(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A list in which nobody speaks."""
    start_response("200 OK", text())
    return [b"ok"]


def silent_generator(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A generator in which nobody speaks."""
    start_response("200 OK", text())
    yield b"ok "
    yield b"still"


def echoing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """What was sent."""
    start_response("200 OK", text())
    return [environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))]


def not_found(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A refusal."""
    start_response("404 Not Found", text())
    return [b"no such page"]


def sending_a_file(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A file, by the server's own means."""
    start_response("200 OK", text())
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](PAGE.open("rb"))
    return wrapped


def sending_bytes_as_a_file(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Something like a file."""
    start_response("200 OK", text())
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](io.BytesIO(b"in memory"))
    return wrapped


SILENT: dict[str, Application] = {
    "a list": silent,
    "a generator": silent_generator,
    "an echo": echoing,
    "a refusal": not_found,
    "a file": sending_a_file,
    "bytes as a file": sending_bytes_as_a_file,
}


def endless(ai: AmplitudeAI, closed: list[str]) -> Application:
    """A body that goes on until its reader is gone."""
    voice = Voice(ai)

    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", text())
        try:
            voice.speak()
            while True:
                yield b"more " * 2_000
                time.sleep(0.001)
        finally:
            closed.append("closed")

    return application
