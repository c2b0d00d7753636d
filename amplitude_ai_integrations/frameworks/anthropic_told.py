"""What a tool loop tells of itself: its agent, its model calls, its tools."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from ..calls.covering import stand_aside
from ..calls.reporting import reporting_of
from ..exceptions import shielded
from ..providers.anthropic import VENDOR
from ..providers.anthropic_messages import Messages
from .anthropic_handlers import failure_of
from .anthropic_turns import Turns
from .watching import Watching

_WHERE: Final = "anthropic_tools"


class Told:
    """Tells of one run of a loop. Nothing here is felt by the loop, whatever happens."""

    def __init__(self, watching: Watching, client: Any, name: str) -> None:
        self._watching = watching
        self._name = name
        self._agent = object()
        self._messages = Messages(_provider_of(client))

    @contextmanager
    def agent(self, turns: Turns) -> Iterator[None]:
        """Tell of the whole loop; the place in the program stays its caller's."""
        with shielded(_WHERE):
            self._watching.agent(self._agent, None, self._name, asked=turns.question or None)
        try:
            yield
        except BaseException as error:
            with shielded(_WHERE):
                self._watching.failed(self._agent, error)
            raise
        with shielded(_WHERE):
            if turns.stopped is not None:
                self._watching.failed(self._agent, turns.stopped)
            else:
                self._watching.ended(self._agent, turns.words or None)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Make the agent's place the current one, for a block that yields to nobody."""
        places = ExitStack()
        with shielded(_WHERE):
            agent = self._watching.tree.get(self._agent)
            if agent is not None:
                places.enter_context(agent.root.inside(agent.context(agent.span_id)))
        try:
            yield
        finally:
            with shielded(_WHERE):
                places.close()

    @contextmanager
    def call(self, request: dict[str, Any], *, is_streaming: bool = False) -> Iterator[Call]:
        """Tell of a model call, which goes out in its ``out()``."""
        call = Call(self, self._watching, request, self._messages, is_streaming=is_streaming)
        try:
            yield call
        except BaseException as error:
            with shielded(_WHERE):
                self._watching.failed(call, error)
            raise

    @contextmanager
    def tool(self, block: Any) -> Iterator[Tool]:
        """Tell of a tool, whose code runs inside."""
        tool = Tool(self._watching)
        with self.inside():
            with shielded(_WHERE):
                self._watching.tool(tool, self._agent, block.name, arguments=block.input, call_id=block.id)
            try:
                yield tool
            except BaseException as error:
                tool.failed(error)
                raise

    @property
    def agent_run(self) -> object:
        """The id under which the loop itself is watched."""
        return self._agent


class Call:
    """A model call of a loop."""

    def __init__(
        self,
        told: Told,
        watching: Watching,
        request: dict[str, Any],
        adapter: Messages,
        *,
        is_streaming: bool,
    ) -> None:
        self._told = told
        self._watching = watching
        self._request = request
        self._adapter = adapter
        self._is_streaming = is_streaming

    @contextmanager
    def out(self) -> Iterator[None]:
        """Send the request inside this block: an observed client that carries it out tells of no other."""
        with self._told.inside():
            run = None
            with shielded(_WHERE):
                run = self._watching.call(
                    self,
                    self._told.agent_run,
                    self._request,
                    adapter=self._adapter,
                    is_streaming=self._is_streaming,
                )
            try:
                yield
            finally:
                with shielded(_WHERE):
                    if run is not None and run.call is not None:
                        stand_aside(run.call)

    def piece(self, event: Any) -> None:
        """Tell of an event of a streamed answer."""
        with shielded(_WHERE):
            self._watching.piece(self, event)

    def answered(self, answer: Any) -> None:
        """Tell of an answer that came whole."""
        with shielded(_WHERE):
            self._watching.answered(self, answer)

    def finished(self) -> None:
        """Tell that a streamed answer was read to its end."""
        with shielded(_WHERE):
            self._watching.ended(self)


class Tool:
    """A tool that a loop runs."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching

    def ended(self, output: Any) -> None:
        """Tell what it returned."""
        with shielded(_WHERE):
            self._watching.ended(self, output)

    def failed(self, error: BaseException) -> None:
        """Tell what it raised."""
        with shielded(_WHERE):
            self._watching.failed(self, failure_of(error) if isinstance(error, Exception) else error)


def _provider_of(client: Any) -> str:
    """Return who answers a client's calls."""
    if not hasattr(client, "base_url"):
        return VENDOR.name
    with shielded(_WHERE):
        reporting = reporting_of(client)
        return (reporting.provider if reporting is not None else None) or VENDOR.provider(client)
    return VENDOR.name
