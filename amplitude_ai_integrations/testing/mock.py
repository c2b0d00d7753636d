"""The client for tests: everything works as in production, and nothing leaves the process."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from ..client import AmplitudeAI
from ..config import AIConfig
from ..delivery.sinks import WireEvent
from ..schema.catalog import event_type
from ..schema.events import SessionEnd
from ..schema.names import wire_name
from . import verification
from .freezing import forget_sessions
from .matching import differences, is_of_type, line, not_found, tally
from .sink import MockSink

_SESSION_END: Final = event_type(SessionEnd)
# What a machine says of itself; events in a test are to be the same on every machine.
_OF_THE_MACHINE: Final[dict[str, Any]] = {"enabled": True, "git_sha": None, "git_ref": None, "git_repo": None}


class MockAmplitudeAI(AmplitudeAI):
    """An ``AmplitudeAI`` that keeps its events in a list instead of sending them.

    Pass it wherever an ``amplitude=`` or ``amplitude_ai=`` is asked for. Events are there as soon as the
    call that made them returns, as they would leave: redacted, stripped, after ``before_send``. A new mock
    remembers nothing of earlier sessions, nor does any other client of the process from then on.

    An event type is given with its prefix or without (``[Agent] AI Response``, ``AI Response``).

    Args:
        config: As in production; by default ``AIConfig(validate=True)``, where wrong arguments raise
            ``ValidationError``. Every session is kept, whatever the sample rate. The environment counts as
            in production, but for ``AMPLITUDE_TRACKING_DISABLED`` and the commit's variables: nothing is
            sent here, and a test is to see the same events on every machine. ``AIConfig(enabled=False)``
            turns tracking off, unless that variable is set too.
    """

    def __init__(self, config: AIConfig | None = None) -> None:
        config = _on_any_machine(config or AIConfig(validate=True))
        self._sink = MockSink(config)
        super().__init__(config=config, sink=self._sink)
        forget_sessions()

    @property
    def events(self) -> list[WireEvent]:
        """The events so far, in the order they were tracked; the list grows as more are."""
        return self._sink.events

    def get_events(self, event_type: str | None = None) -> list[WireEvent]:
        """Return the events so far, of one type or of all."""
        return self.events_of_type(event_type) if event_type is not None else list(self.events)

    def events_of_type(self, event_type: str) -> list[WireEvent]:
        """Return the events of one type."""
        return [event for event in self.events if is_of_type(event, event_type)]

    def events_for_session(self, session_id: str) -> list[WireEvent]:
        """Return the events of one session."""
        return self._having("session_id", session_id)

    def events_for_agent(self, agent_id: str) -> list[WireEvent]:
        """Return the events of one agent, those of its children left out."""
        return self._having("agent_id", agent_id)

    def assert_event_tracked(self, event_type: str, *, user_id: str | None = None, **props: Any) -> WireEvent:
        """Return the first event of a type that has these values.

        Values are asked for by their name on the wire (``**{"[Agent] Model Name": "gpt-4o"}``) or in Python
        (``model_name="gpt-4o"``, ``content="Hi"``), yours by their key. JSON compares as what it says
        (``tool_input={"city": "Paris"}``), and ``None`` asks that there be no value.

        Raises:
            AssertionError: There is none; the message shows how the nearest ones differ.
        """
        __tracebackhide__ = True
        wanted = {"user_id": user_id, **props} if user_id is not None else props
        for event in self.events_of_type(event_type):
            if not differences(event, wanted):
                return event
        raise AssertionError(not_found(event_type, wanted, self.events) + self._reasons())

    def assert_session_closed(self, session_id: str) -> WireEvent:
        """Return the Session End of a session.

        Raises:
            AssertionError: It has none.
        """
        __tracebackhide__ = True
        ends = self.events_of_type(_SESSION_END)
        for event in ends:
            if event["event_properties"].get(wire_name("session_id")) == session_id:
                return event
        closed = [event["event_properties"].get(wire_name("session_id")) for event in ends]
        raise AssertionError(
            f"Session {session_id!r} is not closed. It has: {tally(self.events_for_session(session_id))}. "
            f"Closed: {', '.join(map(repr, closed)) or 'none'}.{self._reasons()}"
        )

    def assert_no_events(self) -> None:
        """Check that nothing was tracked.

        Raises:
            AssertionError: Something was.
        """
        __tracebackhide__ = True
        if self.events:
            lines = (f"\n  {line(place, event)}" for place, event in enumerate(self.events, 1))
            raise AssertionError(f"Tracked: {tally(self.events)}.{''.join(lines)}")

    def assert_verification_fields(self) -> None:
        """Check that each AI Response carries what dashboards are built on.

        That is a user or device, session, agent, model, provider, and latency, input tokens, output tokens
        and cost above 0. A call that failed may lack tokens and cost, an answer from a cache of yours
        latency too.

        Raises:
            AssertionError: One does not, or there is no AI Response at all.
        """
        __tracebackhide__ = True
        if not self.events_of_type(verification.AI_RESPONSE):
            raise AssertionError(not_found(verification.AI_RESPONSE, {}, self.events) + self._reasons())
        lacking = verification.missing(self.events)
        if lacking:
            raise AssertionError("\n".join(lacking))

    def summary(self) -> str:
        """Return, as text to print, how many events there are and how well they are filled."""
        return verification.report(self.events) + self._reasons()

    def simulate_error(self, error_type: str, message: str | None = None) -> None:
        """Let deliveries fail from here on: all, or those of one event type if ``error_type`` names it.

        The program under test goes on as in production: no call raises, the event is not in ``events``,
        ``status()`` and ``flush()`` count it as dead, and ``on_event_callback`` gets ``message`` and a status
        code: 429 for ``rate_limit``, 408 for ``timeout``, 413 for ``payload_too_large``, 400 for one event
        type, 500 for any other word.
        """
        self._sink.fail(error_type, message)

    def simulate_latency(self, seconds: float) -> None:
        """Let each delivery from here on take this long, in the thread that tracks."""
        self._sink.delay_s = seconds

    def clear_simulations(self) -> None:
        """Deliver everything, and at once, again."""
        self._sink.heal()

    def reset(self) -> None:
        """Begin anew: no events, no simulations, nothing remembered of sessions."""
        self._sink.clear()
        self.recorder.pipeline.dropped.clear()
        forget_sessions()

    def _having(self, field: str, value: str) -> list[WireEvent]:
        name = wire_name(field)
        return [event for event in self.events if event["event_properties"].get(name) == value]

    def _reasons(self) -> str:
        """Return what kept events away, for those who miss some."""
        reasons = [f"{reason}: {count}" for reason, count in self.status()["dropped"].items()]
        if self._sink.refused:
            reasons.append(f"refused by simulate_error(): {self._sink.refused}")
        if not self.config.enabled:
            reasons.append("tracking is off: AIConfig(enabled=False)")
        return f"\n({'; '.join(reasons)})" if reasons else ""


def _on_any_machine(config: AIConfig) -> AIConfig:
    machine = AIConfig()
    said_by_machine = {
        name: value
        for name, value in _OF_THE_MACHINE.items()
        if getattr(config, name) == getattr(machine, name)
    }
    # Nothing is sent in any case, so that these two have nothing left to say but that events be printed.
    return replace(
        config,
        session_sample_rate=1.0,
        dry_run=False,
        review_mode=False,
        debug=config.debug or config.dry_run,
        **said_by_machine,
    )
