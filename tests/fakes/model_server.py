"""A model vendor's API on 127.0.0.1, scripted by words in the last user text of a request.

`tool` asks for a tool, `call:get_weather{"city":"Paris"} call:book_table{}` for these one after the other,
each when the one before has answered; `think` shows reasoning, `echo:...` answers with the rest, `nousage` counts nothing,
`error500` fails (`error500x2` twice, then answers), `fail` fails inside the stream, `cut` drops the
connection after two pieces, `stall` waits there until `release()`.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

TEXT = "One two three four."
THOUGHT = "Let me think."
TOOL_ARGUMENTS = '{"city":"Paris"}'

Json = dict[str, Any]


class CutError(Exception):
    """The connection ends here."""


class Tool(NamedTuple):
    """A tool that an answer asks for."""

    id: str
    name: str
    arguments: str


class Script:
    """What the last user text of a request asks for; `results` tools have answered since."""

    def __init__(self, words: str, *, has_result: bool = False, results: int = 0) -> None:
        self.words, self._steps = _parted(words)
        self.has_result = has_result or results > 0
        self.is_sent_back = False  # an answer that was not finished
        self._results = results

    def asks(self, word: str) -> bool:
        return re.search(rf"\b{word}\b", self.words) is not None

    @property
    def text(self) -> str:
        echo = re.search(r"echo:(.*)", self.words, re.DOTALL)
        return echo[1] if echo else TEXT

    @property
    def pieces(self) -> list[str]:
        return re.findall(r"\S+\s*", self.text)

    @property
    def arguments(self) -> str:
        given = re.search(r"tool:(\{.*?\})", self.words)
        return given[1] if given else TOOL_ARGUMENTS

    @property
    def thought(self) -> str:
        given = re.search(r"think:(\S+)", self.words)
        return given[1] if given else THOUGHT

    @property
    def tool(self) -> Tool | None:
        """The tool that is asked for now."""
        if self._results < len(self._steps):
            return self._steps[self._results]
        is_asked = self.asks("tool") and not self._steps and not self.has_result
        return Tool("call_1", "get_weather", self.arguments) if is_asked else None

    @property
    def wants_tool(self) -> bool:
        return self.tool is not None

    @property
    def error(self) -> tuple[int, int] | None:
        found = re.search(r"error(\d{3})(?:x(\d))?", self.words)
        return (int(found[1]), int(found[2] or 0)) if found else None


def _parted(words: str) -> tuple[str, list[Tool]]:
    """Return the words without the tools that are to be asked for in turn, and those."""
    steps: list[Tool] = []
    while (found := re.search(r"call:(\w+)", words)) is not None:
        arguments, end = json.JSONDecoder().raw_decode(words, found.end())
        steps.append(Tool(f"call_{found[1]}", found[1], json.dumps(arguments)))
        words = words[: found.start()] + words[end:]
    return words, steps


class Handler(BaseHTTPRequestHandler):
    """Answers one vendor's requests; a vendor's own says how a request is read, and what comes back."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        fake = self.server.fake
        fake.requests.append({"path": self.path, "headers": dict(self.headers), "body": body})
        script = self.script(body)
        if script.error is not None and fake.still_fails(script.words, *script.error):
            self.refuse(script.error[0], script)
        else:
            self.answer(body, script)

    def script(self, body: Json) -> Script:
        """Return what a request asks for."""
        raise NotImplementedError

    def answer(self, body: Json, script: Script) -> None:
        """Answer a request, whole or streamed."""
        raise NotImplementedError

    def refuse(self, status: int, script: Script) -> None:
        """Answer with an error of the vendor's shape."""
        raise NotImplementedError

    def whole(self, value: Json, script: Script, **headers: str) -> None:
        """Answer at once, unless the script has the answer stall, or the connection cut."""
        if script.asks("stall"):
            self.server.fake.wait()
        if script.asks("cut"):
            self.close_connection = True
            return
        self.json(200, value, **headers)

    def json(self, status: int, value: Json, **headers: str) -> None:
        """Send a body of JSON; an underscore in a header's name stands for a hyphen."""
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(data)

    def stream(self, parts: Iterator[bytes], content_type: str = "text/event-stream", **headers: str) -> None:
        """Send the parts of a stream as they come; a ``CutError`` among them cuts the connection."""
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("transfer-encoding", "chunked")
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        try:
            for part in parts:
                self._chunk(part)
            self._chunk(b"")
        except (CutError, OSError):
            self.close_connection = True

    def interrupt(self, script: Script) -> None:
        """Stall or cut in the middle of a stream, if the script says so: after the second piece."""
        if script.asks("stall"):
            self.server.fake.wait()
        if script.asks("cut"):
            raise CutError

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, *_given: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    fake: ModelServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what many tests are about."""


class ModelServer:
    """A running fake: where it is, and what it received."""

    def __init__(self, handler: type[Handler]) -> None:
        self.requests: list[Json] = []
        self._failures: Counter[str] = Counter()
        self._released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.fake = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def still_fails(self, words: str, _status: int, times: int) -> bool:
        """Tell whether a request that is to fail (so many times; 0 is always) fails now."""
        self._failures[words] += 1
        return times == 0 or self._failures[words] <= times

    def wait(self) -> None:
        """Wait, as a stalled answer does."""
        self._released.wait(10)

    def release(self) -> None:
        """Let stalled answers go on, and forget what was received."""
        self._released.set()
        self._released = threading.Event()
        self.requests.clear()
        self._failures.clear()

    def stop(self) -> None:
        """End the server."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
