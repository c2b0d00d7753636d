"""What the contract has to know of a provider, so that every sibling is held to the same tests.

A vendor's file beside this one makes one `Provider` of its own. Nothing here knows a vendor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from amplitude_ai_integrations import wrap
from amplitude_ai_integrations.calls.replacing import Undo
from amplitude_ai_integrations.calls.reporting import Reporting

from ...fakes.model_server import THOUGHT, TOOL_ARGUMENTS, ModelServer
from ..expected import SYSTEM, UNCOUNTED, Event, estimated

KINDS = ("sync", "async")
DOORS = ("swap", "wrap", "patch")

# What a provider, an API or a way may lack; each with the reason, by these names.
CELLS = {
    "sync",
    "async",
    *DOORS,
    "with",  # streams that are context managers
    "fail",  # an error inside a stream
    "think",
    "tool",
    "image",
    "streamed",
    "keywords",
    "retries",
    "timeout",
    "cancel",  # a task that is cancelled while it reads a stream
}

Call = Callable[..., Any]

# What a cut connection may raise where a vendor's client does not turn it into an error of its own.
HTTP_ERRORS: tuple[type[Exception], ...] = tuple(
    import_module(name).HTTPError for name in ("httpx", "httpx2") if find_spec(name)
)


@dataclass(frozen=True)
class Tool:
    """A tool that the model may ask for; each of its words can be a test's own."""

    name: str = "get_weather"
    description: str = "Tells the weather."
    parameter: str = "city"

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {self.parameter: {"type": "string"}}}

    @property
    def function(self) -> dict[str, Any]:
        return {"name": self.name, "description": self.description, "parameters": self.schema}


@dataclass(frozen=True)
class Ran:
    """A tool that was asked for after the user's words, and what it answered."""

    call_id: str = "call_1"
    name: str = "get_weather"
    arguments: str = TOOL_ARGUMENTS  # JSON
    result: str = "sunny"


@dataclass(frozen=True)
class Ask:
    """What a test asks of a model, whatever its vendor calls the parts of a request."""

    words: str = "Hi"  # the last user text, by which the fake is told what to do
    system: str | None = SYSTEM
    tool: Tool | None = None
    ran: Ran | None = None
    image: str | None = None  # a PNG in base64, beside the words


@dataclass(frozen=True)
class Failure:
    """An error inside a stream: what it raises, if it does, and what its AI Response says.

    The words that bring it are `fail`; `text` is what was said before.
    """

    errors: tuple[type[BaseException], ...]  # empty where the stream ends without raising
    text: str = "One two "
    says: Event = field(default_factory=dict)


def sent(ask: Ask) -> str:
    """Return the words that are sent, as most APIs put them: a message a line, of which a tool call says none."""
    said = [ask.system, ask.words, *(["", ask.ran.result] if ask.ran else [])]
    return "\n".join(text for text in said if text is not None)


def dumped(value: Any) -> Any:
    """Return a vendor's model as data: its class, its values, and which of them were set."""
    if not hasattr(value, "model_dump"):
        return value
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    return (
        kind,
        value.model_dump(warnings=False),
        value.model_dump(exclude_unset=True, warnings=False),
    )


NOTHING: Event = {**UNCOUNTED, "provider_request_id": None}


@dataclass(frozen=True)
class Api:
    """One API whose answers are words.

    `whole` and `streamed` make a call: `whole(client, **arguments(ask))` returns an answer, `streamed(...)`
    what is iterated; `whole_async` and `streamed_async` are awaited for the same, where there are such.

    `says` is how the AI Response to a whole answer differs from `expected.answer()`. For streams, `read` tells
    how one that was read to its end differs from that, and `left` one of which only the text "One two " came
    (the tests add themselves what follows from the ending: text, `is_streaming`, errors...). Both take what
    was asked and the text that came. `unread` is of a stream of which no chunk was read, `refused` of an error
    status; of a whole answer that did not come, `NOTHING` is known. `thinks` is of an answer with reasoning,
    `asks` of one that asks for the tool, and `ran` the call that it asks for.
    """

    arguments: Callable[[Ask], dict[str, Any]]
    whole: Call
    streamed: Call
    piece: Callable[[Any], str]  # the piece of text in a chunk, or ""
    text: Callable[[Any], str]  # the text of a whole answer
    whole_async: Call | None = None
    streamed_async: Call | None = None
    says: Event = field(default_factory=dict)
    read: Callable[[Ask, str], Event] = lambda _ask, _text: {}
    left: Callable[[Ask, str], Event] = lambda ask, text: estimated(sent(ask), text)
    unread: Event = field(default_factory=NOTHING.copy)
    refused: Event = field(default_factory=NOTHING.copy)
    thinks: Event = field(default_factory=lambda: {"reasoning_content": THOUGHT, "has_reasoning": True})
    asks: Event = field(default_factory=lambda: {"finish_reason": "tool_calls"})
    ran: Ran = field(default_factory=Ran)
    fails: Failure | None = None  # None only where `lacks` says "fail"
    lacks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Way:
    """One public way to make a call: `run(client, **arguments)` makes it and reads all of the answer.

    It returns what the caller came to see as plain data (a text, bytes, a list of dumped chunks), which has to
    be equal to what the bare client shows. An asynchronous one is awaited. `api` says whose arguments it takes
    and whose AI Response it leaves; `says` is what differs from that.
    """

    api: str
    run: Call
    is_streaming: bool = False
    says: Event = field(default_factory=dict)
    lacks: Mapping[str, str] = field(default_factory=dict)


class Provider:
    """One provider; a vendor's file sets the attributes and writes the methods that raise here."""

    name: str
    like: str = ""  # another provider whose code it shares: what depends on that alone is tested there
    apis: Mapping[str, Api]
    ways: Mapping[str, Way]
    async_ways: Mapping[str, Way] = {}
    patches: tuple[Callable[[Reporting], list[Undo]], ...]
    statuses: Mapping[
        str, tuple[type[BaseException], ...]
    ]  # "error500", "error429", "error401" and what they raise
    cuts: tuple[type[BaseException], ...]  # what a connection that the server drops raises, whole or streamed
    timeouts: tuple[type[BaseException], ...]
    volatile: frozenset[str] = (
        frozenset()
    )  # headers of requests, in lower case, that differ from call to call
    doors: frozenset[str] = (
        frozenset()
    )  # functions of ours that a fault cannot be put into; see test_faults.py
    lacks: Mapping[str, str] = {}

    def serve(self) -> ModelServer:
        """Start the vendor's fake."""
        raise NotImplementedError

    def bare(self, fake: Any, kind: str, *, timeout: float | None = None, retries: int = 0) -> Any:
        """Make the vendor's own client of the fake, of a kind of `KINDS`.

        `timeout` is in seconds; `retries` is how often a request is tried again. Asynchronous clients are made
        and closed inside a running loop. What is slow to make (connections, TLS) is to be shared.
        """
        raise NotImplementedError

    def swap(
        self, fake: Any, kind: str, amplitude: Any, *, timeout: float | None = None, retries: int = 0
    ) -> Any:
        """Make a client of our class that is imported in place of the vendor's."""
        raise NotImplementedError

    def wrap(self, fake: Any, kind: str, amplitude: Any, **options: Any) -> Any:
        """Make a client of the vendor's and wrap it."""
        return wrap(self.bare(fake, kind, **options), amplitude)

    def patch(self, reporting: Reporting) -> list[Undo]:
        """Patch all of the vendor's classes."""
        return [undo for patch in self.patches for undo in patch(reporting)]

    async def aclose(self, client: Any) -> None:
        """Close an asynchronous client."""
        await client.close()

    def close_stream(self, stream: Any) -> None:
        """Close a stream as its reader does."""
        stream.close()

    async def aclose_stream(self, stream: Any) -> None:
        """Close an asynchronous stream as its reader does."""
        await stream.close()

    def is_closed(self, stream: Any) -> bool | None:
        """Tell whether the stream's connection was given back, where that can be seen."""
        return None

    def plain(self, value: Any) -> Any:
        """Return an answer or a chunk as data that can be compared."""
        return dumped(value)

    def requests(self, fake: Any) -> list[dict[str, Any]]:
        """Return what the fake received, without what differs from call to call."""
        return [
            {
                **request,
                "headers": {
                    name: value
                    for name, value in request["headers"].items()
                    if name.lower() not in self.volatile
                },
            }
            for request in fake.requests
        ]

    def stop(self) -> None:
        """Close what all clients shared."""
