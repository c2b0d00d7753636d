"""CrewAI: https://docs.crewai.com/en/concepts/event-listener."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from ..context.forks import Guarded
from ..context.recent import Recent
from ..exceptions import shielded
from ..pricing.rates import current_prices
from ..registry import AGENT_FRAMEWORKS
from ..runs.run import Run
from .options import FrameworkOptions
from .watching import Watching

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

try:
    from crewai.events import crewai_event_bus

    from . import crewai_hooks as hooks
except ImportError as error:
    raise AGENT_FRAMEWORKS["crewai"].missing() from error

from .crewai_beneath import calls_are_told_here
from .crewai_calls import Calls
from .crewai_places import Places
from .crewai_runs import Runs
from .crewai_tasks import Tasks

_NAME: Final = "crewai"
_DOOR: Final = "AmplitudeCrewAIHooks()"


class AmplitudeCrewAIHooks(Guarded):
    """Makes ``[Agent]`` events of everything CrewAI does: ``with AmplitudeCrewAIHooks(...):``.

    Model calls become AI Responses and what agents are asked User Messages, tools Tool Calls; crews, tasks,
    agents, flows and their methods become Spans, with the roles as agents. A ``with`` block hears of what is
    begun inside it, and ``register()`` of the whole process until ``close()``.

    It takes ``amplitude`` (an ``AmplitudeAI`` or an ``Amplitude``; by default the only ``AmplitudeAI`` there
    is), ``user_id`` and ``FrameworkOptions``. With ``agent_id``, or in the session of an agent, a crew is
    that agent, and its roles work for it.

    Raises:
        ConfigurationError: An option does not exist or has a wrong value, or it is not clear where to report.
    """

    def __init__(
        self, amplitude: Any = None, user_id: str | None = None, **options: Unpack[FrameworkOptions]
    ) -> None:
        super().__init__()
        self._watching = Watching(_DOOR, amplitude, {"user_id": user_id, **options})
        self._calls = Calls(self._watching)
        self._runs = Runs(self._watching, names_agent=bool(options.get("agent_id")))
        self._places = Places(self._watching.tree)
        self._tasks = Tasks(self._stop)
        self._stopped: Recent[str, bool] = Recent()
        self._is_open = False
        self._blocks = 0

    def register(self) -> Self:
        """Hear of all that CrewAI does in this process from now on, and return this."""
        self._open(is_wide=True)
        return self

    def close(self) -> None:
        """Hear of nothing any more, once all that happened so far was heard."""
        self.flush()
        with self._lock:
            if self._is_open:
                hooks.fall_silent(self, self._hears, self._kicked_off)
            self._is_open, self._blocks = False, 0

    def flush(self, timeout: float = 30.0) -> bool:
        """Wait until what happened so far was heard, and tell whether it was: CrewAI tells it elsewhere."""
        return bool(crewai_event_bus.flush(timeout))

    def __enter__(self) -> Self:
        self._open(is_wide=False)
        hooks.enter(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        hooks.leave(self)
        with self._lock:
            self._blocks -= 1
            is_last = self._blocks == 0
        if is_last:
            self.close()
        else:
            self.flush()

    def _open(self, *, is_wide: bool) -> None:
        # OpenAI's client takes httpx2, which this loads, for whole while another thread still loads it.
        with shielded(_NAME):
            current_prices()
        with self._lock:
            self._blocks += 1
            hooks.listen(self, self._hears, self._kicked_off, is_wide=is_wide)
            self._is_open = True

    # CrewAI carries asynchronous handlers out one after the other, in the order in which things happened;
    # others all at once.
    async def _hears(self, source: Any, event: Any) -> None:
        with shielded(_NAME):
            if hooks.is_replayed():
                return
            calls_are_told_here()
            if event.type in hooks.STARTS:
                if self._is_mine(event):
                    self._begins(source, event)
            elif event.type in _OF_CALLS:
                _OF_CALLS[event.type](self._calls, event)
            else:
                self._ends(source, event)

    def _is_mine(self, event: Any) -> bool:
        return hooks.is_heard_by(self) or self._watching.tree.get(event.parent_event_id) is not None

    def _begins(self, source: Any, event: Any) -> None:
        parent = self._places.parent(source, event)
        if self._stopped.get(str(parent)):
            self._stopped.put(event.event_id, True)
        elif event.type == "llm_call_started":
            self._calls.begin(parent, source, event)
        elif event.type == "tool_usage_started":
            self._calls.tool(parent, event)
        else:
            run = self._runs.begin(parent, source, event)
            if run is not None:
                self._places.begun(run, source, event)
                self._tasks.begun(run)

    def _ends(self, source: Any, event: Any) -> None:
        run = self._places.ending(source, event)
        if run is None:
            return
        if event.type == "tool_usage_finished":
            self._calls.tool_ended(run, event)
        else:
            self._runs.ended(run, event)

    def _stop(self, run: Run) -> None:
        if self._watching.tree.get(run.id) is run:
            for part in _with_parts(run):
                self._stopped.put(str(part.id), True)
            self._watching.failed(run.id, asyncio.CancelledError())

    def _kicked_off(self, _context: Any) -> None:
        with shielded(_NAME):
            self._tasks.enter()


_OF_CALLS: Final = {
    "llm_stream_chunk": Calls.piece,
    "llm_thinking_chunk": Calls.thought,
    "llm_call_completed": Calls.answered,
    "llm_call_failed": Calls.failed,
}


def _with_parts(run: Run) -> list[Run]:
    return [run, *(inner for part in tuple(run.parts.values()) for inner in _with_parts(part))]
