"""The OpenAI Agents SDK: https://openai.github.io/openai-agents-python/tracing/."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..calls.facts import ResponseFacts, peek
from ..calls.reporting import resolved
from ..client.attach import client_of
from ..client.failures import ToldFailure
from ..context.recent import Recent
from ..exceptions import shielded
from ..registry import AGENT_FRAMEWORKS
from ..schema.values import plain, state
from .options import FrameworkOptions
from .watching import Watching

if TYPE_CHECKING:
    from agents.tracing import TracingProcessor
    from typing_extensions import Unpack
else:
    try:
        from agents.tracing import TracingProcessor
    except ImportError as error:
        raise AGENT_FRAMEWORKS["openai_agents"].missing() from error

from . import openai_agents_steps as steps
from .openai_agents_calls import Spans, answered, asked, is_streamed, model_call
from .openai_agents_relay import Relay, forget_handoffs, note_answer, note_question, take_asked

_NAME: Final = "openai-agents"
_CALLS: Final = frozenset({"generation", "response"})
_DOOR: Final = "AmplitudeTracingProcessor()"


class AmplitudeTracingProcessor(TracingProcessor):
    """Makes ``[Agent]`` events of everything the OpenAI Agents SDK does: ``processor.register()``.

    Generations and responses become AI Responses and their prompts User Messages, functions Tool Calls;
    agents, handoffs, guardrails and steps of your own become Spans, with the agents as agents. One processor
    serves any number of runs at once, and leaves the SDK's own exporter alone.

    It takes ``amplitude`` (an ``AmplitudeAI`` or an ``Amplitude``; by default the only ``AmplitudeAI`` there
    is), ``user_id`` and ``FrameworkOptions``. Outside any session a run's ``group_id`` is its session, and
    its ``trace_metadata`` may name its ``user_id`` and ``device_id``.

    Raises:
        ConfigurationError: An option does not exist or has a wrong value, or it is not clear where to report.
    """

    def __init__(
        self, amplitude: Any = None, user_id: str | None = None, **options: Unpack[FrameworkOptions]
    ) -> None:
        self._amplitude = resolved(amplitude, _DOOR)
        self._watching = Watching(_DOOR, self._amplitude, {"user_id": user_id, **options})
        self._relay = Relay()
        self._handled: Recent[str, BaseException] = Recent()
        self._is_registered = False
        self._is_away = False
        begin: dict[str, Callable[[Any, str], object]] = dict.fromkeys(steps.STEPS, self._step)
        begin |= {"agent": self._agent, "function": self._tool, "handoff": self._handoff}
        self._begin = begin | dict.fromkeys(_CALLS, self._call)

    def register(self) -> None:
        """Let the SDK tell it of all runs that begin from now on, beside who is told of them already."""
        from agents.tracing import add_trace_processor

        self._is_away = False
        if not self._is_registered:
            add_trace_processor(self)
        self._is_registered = True

    def unregister(self) -> None:
        """Be told of no run that begins from now on; those under way come to their end.

        The SDK cannot take a processor away, so this one stays among its processors and does nothing.
        """
        self._is_away = True

    def on_trace_start(self, trace: Any) -> None:
        """A workflow begins."""
        with shielded(_NAME):
            if self._is_new(trace.trace_id):
                about = peek(trace, "metadata") or {}
                identity = {name: about.get(name) for name in ("session_id", "user_id", "device_id")}
                identity["session_id"] = peek(trace, "group_id") or identity["session_id"]
                self._watching.hidden(trace.trace_id, None, str(trace.name), identity=identity)

    def on_trace_end(self, trace: Any) -> None:
        """It is done, or raised."""
        with shielded(_NAME):
            self._over(trace.trace_id, self._failure(trace.trace_id))

    def on_span_start(self, span: Any) -> None:
        """A part of it begins. What the SDK sums up of others, as a turn, is no event of its own."""
        with shielded(_NAME):
            if self._is_new(span.span_id):
                begin = self._begin.get(span.span_data.type, self._hidden)
                begin(span, span.parent_id or span.trace_id)

    def on_span_end(self, span: Any) -> None:
        """It is done, or raised; an error that the SDK hands to the model stands in the span."""
        with shielded(_NAME):
            data = span.span_data
            failure = self._failure(span.span_id, span)
            if data.type in _CALLS:
                self._call_over(span, failure)
            elif data.type == "function":
                given, made = plain(steps.arguments(data.input)), plain(data.output)
                self._over(span.span_id, failure, input=given, output=made, **steps.owner(data))
            elif data.type == "handoff":
                self._handed_over(span)
                made = state(steps.made_by(data))
                self._over(span.span_id, failure, output_state=made, span_name=steps.name_of(data))
            elif data.type in steps.STEPS:
                self._over(span.span_id, failure, output_state=state(steps.made_by(data)))
            else:
                self._over(span.span_id, failure)

    def force_flush(self) -> None:
        """Deliver what waits, as ``agents.flush_traces()`` has it."""
        with shielded(_NAME):
            client_of(self._amplitude).flush()

    def shutdown(self, timeout: float | None = None) -> None:
        """Nothing ends with the SDK: the client is the program's, and delivers at its exit by itself."""

    def _is_new(self, run_id: str) -> bool:
        """Tell whether something begins that is to be told, and was not by being registered twice."""
        if self._is_away or self._watching.tree.get(run_id) is not None:
            return False
        handled = sys.exc_info()[1]
        if handled is not None:
            self._handled.put(run_id, handled)
        return True

    def _hidden(self, span: Any, parent_id: str) -> None:
        self._watching.hidden(span.span_id, parent_id)

    def _agent(self, span: Any, parent_id: str) -> None:
        name = str(span.span_data.name)
        by, facts = self._relay.before(parent_id, name)
        run = self._watching.agent(span.span_id, parent_id, name, delegated_by=by, facts=facts)
        if run is not None:
            self._relay.begun(run)

    def _step(self, span: Any, parent_id: str) -> None:
        data = span.span_data
        self._watching.step(span.span_id, parent_id, steps.name_of(data), asked=steps.given_to(data))

    def _handoff(self, span: Any, parent_id: str) -> None:
        self._step(span, parent_id)
        agent = self._agent_around(span.span_id)
        if agent is not None:
            forget_handoffs(agent)

    def _handed_over(self, span: Any) -> None:
        agent, to = self._agent_around(span.span_id), peek(span.span_data, "to_agent")
        if agent is not None and to:
            self._relay.handed_over(agent, str(to))

    def _tool(self, span: Any, parent_id: str) -> None:
        name = str(span.span_data.name)
        call_id = take_asked(self._agent_around(parent_id), name)
        self._watching.tool(span.span_id, parent_id, name, call_id=call_id)

    def _call(self, span: Any, parent_id: str) -> None:
        call = model_call()
        if call is not None and not call.shows_words:
            self._keep_back(span.trace_id)
        question, is_streaming = asked(span.span_data, call), call is not None and call.is_streaming
        note_question(self._agent_around(parent_id), lambda: Spans().request(question).user_text)
        self._watching.call(span.span_id, parent_id, question, adapter=Spans(), is_streaming=is_streaming)

    def _call_over(self, span: Any, failure: BaseException | ToldFailure | None) -> None:
        span_id, data, watching = span.span_id, span.span_data, self._watching
        answer = answered(data)
        watching.asked(span_id, asked(data, None))
        if is_streamed(data):
            watching.piece(span_id, "")
        if answer is not None:
            note_answer(self._agent_around(span_id), answer)
            watching.came(span_id, answer)
        # A stream may be closed as soon as its answer is whole.
        if failure is None or (isinstance(failure, GeneratorExit) and answer is not None):
            watching.answered(span_id, answer or ResponseFacts())
        else:
            watching.failed(span_id, failure)

    def _over(self, run_id: str, failure: BaseException | ToldFailure | None, **fields: Any) -> None:
        if failure is None:
            self._watching.ended(run_id, **fields)
            return
        name = failure.error_type if isinstance(failure, ToldFailure) else type(failure).__name__
        if name.endswith("TripwireTriggered"):  # a guardrail did what it is for
            self._watching.ended(run_id, error_type=name, **fields)
        else:
            self._watching.failed(run_id, failure, **fields)

    def _failure(self, run_id: str, span: Any = None) -> BaseException | ToldFailure | None:
        """Return what ends a run early: an exception that is on its way through, or what the span says."""
        raised, handled = sys.exc_info()[1], self._handled.pop(run_id)
        raised = None if raised is handled else raised
        said = peek(span, "error")
        keeps_back = self._keeps_back(span, said)
        if not isinstance(raised, Exception) and said is not None:
            return ToldFailure(steps.failure_type(span.span_data), steps.words_of(said, in_short=keeps_back))
        if isinstance(raised, Exception) and keeps_back:
            return ToldFailure(type(raised).__name__, steps.words_of(said, in_short=True))
        return raised

    def _keep_back(self, trace_id: str) -> None:
        trace = self._watching.tree.get(trace_id)
        if trace is not None:
            trace.kept = True

    def _keeps_back(self, span: Any, said: Any) -> bool:
        """Tell whether the words of an exception may hold what is not to be traced."""
        trace = self._watching.tree.get(peek(span, "trace_id"))
        return steps.is_redacted(said) or (trace is not None and trace.kept is True)

    def _agent_around(self, run_id: str) -> Any:
        run = self._watching.tree.get(run_id)
        return run.agent_around if run is not None else None
