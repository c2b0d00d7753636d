"""What the doors of all frameworks do: a framework's own words in, runs and model calls out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..calls import tools
from ..calls.covering import stand_above, stand_aside
from ..calls.direct import Direct
from ..calls.facts import Adapter, peek
from ..calls.observation import Observation
from ..calls.reporting import Reporting, resolved
from ..client.failures import ToldFailure
from ..context.current import AgentFacts
from ..exceptions import shielded
from ..runs.run import Kind, Run
from ..runs.tree import RunTree
from ..schema.values import plain, state
from .options import defaults_of


class Watching:
    """Watches the runs of one framework's door.

    A framework says each beginning and each end under an id of its own; of an id that is not under way,
    an end is no news. Its calls are not shielded: whoever translates for a framework is.

    Args:
        door: How the door is written, for what is said of a wrong argument.
        amplitude: An ``AmplitudeAI`` or an ``Amplitude`` client; by default the only ``AmplitudeAI``.
        options: ``user_id`` and ``FrameworkOptions``.

    Raises:
        ConfigurationError: An option does not exist or has a wrong value, or it is not clear where to report.
    """

    def __init__(self, door: str, amplitude: Any, options: Mapping[str, Any]) -> None:
        defaults, settings = defaults_of(options, door)
        self._reporting = Reporting(resolved(amplitude, door), defaults=settings)
        self.tree: Final = RunTree(lambda: self._reporting.client, defaults)

    @property
    def is_enabled(self) -> bool:
        """Whether anything is told at all."""
        return self._reporting.client.config.enabled

    def agent(
        self,
        run_id: object,
        parent_id: object,
        name: str,
        *,
        asked: Any = None,
        identity: Mapping[str, Any] | None = None,
        delegated_by: object = None,
        facts: AgentFacts | None = None,
    ) -> Run | None:
        """An agent begins; ``asked`` is what it is given. The rest is as ``RunTree.start`` has it."""
        return self.tree.start(
            run_id,
            parent_id,
            Kind.AGENT,
            name,
            delegated_by=delegated_by,
            identity=identity,
            agent=facts,
            input_state=state(asked),
        )

    def step(
        self,
        run_id: object,
        parent_id: object,
        name: str,
        *,
        asked: Any = None,
        identity: Mapping[str, Any] | None = None,
    ) -> Run | None:
        """A step begins that is a Span of its own."""
        return self.tree.start(
            run_id, parent_id, Kind.STEP, name, identity=identity, input_state=state(asked)
        )

    def hidden(
        self, run_id: object, parent_id: object, name: str = "", *, identity: Mapping[str, Any] | None = None
    ) -> Run | None:
        """Something begins that no event tells of, and that others are parts of."""
        return self.tree.start(run_id, parent_id, Kind.HIDDEN, name, identity=identity)

    def tool(
        self,
        run_id: object,
        parent_id: object,
        name: str,
        *,
        arguments: Any = None,
        call_id: str | None = None,
        identity: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Run | None:
        """A tool begins; ``call_id`` is under which id the model asked for it, where that is known."""
        run = self.tree.start(
            run_id, parent_id, Kind.TOOL, name, identity=identity, input=plain(arguments), **fields
        )
        if run is None:
            return None
        by_hand = run.context(None).trace.tools_by_hand
        by_hand[name] += 1  # the model call that brings the result back need not report it again
        run.kept = by_hand[name]
        if call_id:
            self.names(run, call_id)
        return run

    def names(self, run: Run, call_id: str) -> None:
        """Say under which id the model asked for a tool, which some frameworks tell at its end only."""
        context = run.context(None)
        is_new, asked = tools.answer(tools.place_of(context, context.session_id), call_id)
        if asked is not None:
            run.given["parent_message_id"] = asked.message_id
        if is_new:  # by this id its result is known, wherever it is met
            context.trace.tools_by_hand[run.name] -= 1
            run.kept -= 1

    def call(
        self,
        run_id: object,
        parent_id: object,
        request: Any,
        *,
        adapter: Adapter | None = None,
        is_streaming: bool = False,
        words: str = "",
        identity: Mapping[str, Any] | None = None,
        covers: bool = True,
        said: Mapping[str, Any] | None = None,
    ) -> Run | None:
        """A model call begins. With ``covers``, the next call of an observed client from here is this one:
        for frameworks that say so in the caller's own context. ``said`` is what its events say beside.

        ``request``, and later its pieces and its answer, are facts; or what ``adapter`` maps.
        """
        model = str(peek(request, "model") or "")
        run = self.tree.start(run_id, parent_id, Kind.CALL, model, identity=identity)
        if run is None:
            return None
        with run.root.inside(run.context(run.outer_span_id)):
            observation = self._reporting.observe(
                adapter or Direct(words),
                request,
                {**run.root.fields, **(said or {})},
                is_streaming=is_streaming,
            )
        if observation is not None:
            root, agent, around = run.root, run.agent, run.outer_span_id
            observation.inside = lambda: root.inside(root.context(agent, around))
            run.call = observation
            if covers:
                stand_above(observation)
            observation.when_over = self._when_over(run_id, observation)
        return run

    def _when_over(self, run_id: object, observation: Observation) -> Callable[[], None]:
        """Return what is to be done when a call is over; one whose task is cancelled is over, whether its
        framework speaks of it or not.
        """
        task = _task()

        def over() -> None:
            stand_aside(observation)
            if task is not None:
                task.remove_done_callback(lost)
            self.tree.pop(run_id)

        def lost(ended: asyncio.Task[Any]) -> None:
            with shielded("model call, task"):
                if ended.cancelled():
                    observation.left("CancelledError")

        if task is not None:
            task.add_done_callback(lost)
        return over

    def piece(self, run_id: object, piece: Any) -> None:
        """A piece of a streamed answer comes."""
        observation = _observation(self.tree.get(run_id))
        if observation is not None:
            observation.streams()
            observation.chunk(piece)

    def asked(self, run_id: object, request: Any) -> None:
        """It shows what a model call asks, which was not known when that began."""
        observation = _observation(self.tree.get(run_id))
        if observation is not None:
            observation.asks(request)

    def came(self, run_id: object, answer: Any) -> None:
        """A model call's answer is there, and the framework goes on with it, which may fail."""
        observation = _observation(self.tree.get(run_id))
        if observation is not None:
            observation.came(answer)

    def answered(self, run_id: object, answer: Any) -> None:
        """A model call is answered, whole, or its stream is read to the end."""
        self._call_over(run_id, lambda observation: observation.returned(answer))

    def left(self, run_id: object, reason: str | None = None) -> None:
        """Nobody reads the answer of a model call any more."""
        self._call_over(run_id, lambda observation: observation.left(reason))

    def ended(self, run_id: object, result: Any = None, **fields: Any) -> None:
        """An agent, a step or a tool ends well; a model call ends with what came of it."""
        run = self.tree.get(run_id)
        if run is None:
            return
        if run.kind is Kind.CALL:
            self._call_over(run_id, Observation.finished)
        elif _is_told(run):
            self.tree.pop(run_id)
        else:
            self.tree.end(run_id, **_result(run, result), **fields)

    def failed(self, run_id: object, error: BaseException | ToldFailure, **fields: Any) -> None:
        """Something raised, or was told to stop; a generator that is closed was left by its reader."""
        run = self.tree.get(run_id)
        if run is None:
            return
        if isinstance(error, GeneratorExit):
            self.left(run_id)
            self.ended(run_id, **fields)
            return
        if run.kind is Kind.CALL:
            self._call_over(run_id, lambda observation: observation.failed(error))
        elif _is_told(run):
            self.tree.pop(run_id)
        else:
            self.tree.fail(run_id, error, **fields)

    def _call_over(self, run_id: object, end: Callable[[Observation], None]) -> None:
        run = self.tree.get(run_id)
        if run is None or run.kind is not Kind.CALL:
            return
        observation = _observation(run)
        if observation is not None:
            end(observation)
        self.tree.pop(run_id)


def _task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop runs here
        return None


def _observation(run: Run | None) -> Observation | None:
    call: Any = run.call if run is not None else None
    return call  # type: ignore[no-any-return]


def _is_told(run: Run) -> bool:
    """Tell whether a tool's own code was decorated, and so told of itself."""
    if run.kind is not Kind.TOOL:
        return False
    by_hand = run.context(None).trace.tools_by_hand
    if by_hand[run.name] <= run.kept:
        return False
    by_hand[run.name] -= 1
    return True


def _result(run: Run, result: Any) -> dict[str, Any]:
    if result is None:
        return {}
    return {"output": plain(result)} if run.kind is Kind.TOOL else {"output_state": state(result)}
