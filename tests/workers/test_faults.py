"""Whatever of ours fails on the way of a job, it is sent and done as it would be without us."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import dramatiq
import httpx
import pytest
from celery import Celery
from dramatiq.brokers.stub import StubBroker

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.context import get_active_context, push_context
from amplitude_ai_integrations.outgoing import propagate_httpx
from amplitude_ai_integrations.workers import KEY, carry, carry_on
from amplitude_ai_integrations.workers.celery import AmplitudeAICelery
from amplitude_ai_integrations.workers.dramatiq import AmplitudeAIDramatiq
from tests.faults import functions_passed, raising

# Where a program enters our code; each hands its inner work to a shield.
DOORS = {
    *("AmplitudeAI.track_span", "AmplitudeAI._record", "Recorder.record"),
    *("shielded.__init__", "shielded.__enter__", "shielded.__exit__", "Shield.note", "Shield.keep"),
    *(
        "carry",
        "carry_on",
        "JobSession.__init__",
        "JobSession.__enter__",
        "JobSession.__exit__",
        "client_of",
        "_before_httpx",
    ),
    *("AmplitudeAICelery._before_send", "AmplitudeAICelery._before_task", "AmplitudeAICelery._after_task"),
    *("AmplitudeAIDramatiq.before_enqueue", "AmplitudeAIDramatiq.before_process_message"),
    "AmplitudeAIDramatiq.after_process_message",
    "get_active_context",  # which this test asks itself
}

# What leaves a session cannot be left without; the next job in the thread does not see what stayed behind.
LEAVING = {"reset_context", "JobSession.leave", "Jobs.end"}
Path = Callable[[], Any]


def failing(ai: AmplitudeAI, ran: list[int]) -> None:
    """A job in which an agent speaks, and which fails."""
    ran.append(1)
    ai.track_span(span_name="step", latency_ms=1.0)
    raise LookupError("job")


def by_hand(ai: AmplitudeAI, ran: list[int]) -> Path:
    def path() -> Any:
        carried = carry()
        with pytest.raises(LookupError, match="job"), carry_on(carried, amplitude_ai=ai):
            failing(ai, ran)
        return len(ran)

    return path


def with_celery(ai: AmplitudeAI, ran: list[int]) -> Path:
    app = Celery("faults", broker="memory://", set_as_current=False)
    app.conf.task_default_queue = "faults"
    AmplitudeAICelery(app, amplitude_ai=lambda: ai)
    carried = carry()

    @app.task(name="failing", shared=False)
    def task() -> None:
        failing(ai, ran)

    def path() -> Any:
        sent = task.apply_async()
        done = task.apply(headers={KEY: carried})
        return bool(sent.id), done.state, repr(done.result), len(ran)

    return path


def with_dramatiq(ai: AmplitudeAI, ran: list[int]) -> Path:
    broker = StubBroker(middleware=[AmplitudeAIDramatiq(amplitude_ai=lambda: ai)])
    actor = dramatiq.actor(partial(failing, ai, ran), actor_name="failing", broker=broker)

    def path() -> Any:
        actor.send()
        message = dramatiq.Message.decode(broker.queues["default"].get())
        broker.emit_before("process_message", message)
        with pytest.raises(LookupError, match="job") as raised:
            actor()
        broker.emit_after("process_message", message, exception=raised.value)
        return message.actor_name, len(ran)

    return path


def with_httpx(ai: AmplitudeAI, ran: list[int]) -> Path:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text=request.headers["x-mine"]))
    client = propagate_httpx(httpx.Client(transport=transport))
    return lambda: client.get("http://127.0.0.1:1", headers={"x-mine": "1"}).text


PATHS = {"by hand": by_hand, "celery": with_celery, "dramatiq": with_dramatiq, "httpx": with_httpx}


@pytest.mark.usefixtures("swallowing")
@pytest.mark.filterwarnings("ignore:Assigning a code object")
@pytest.mark.parametrize("way", PATHS)
def test_a_fault_in_any_function_of_ours_changes_nothing(
    way: str, ai: AmplitudeAI, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[int] = []
    harmed = []
    with ai.agent("bot").session(track_session_end=False):
        around = get_active_context()
        path = PATHS[way](ai, ran)

        def anew() -> Any:
            ran.clear()
            return path()

        expected = anew()
        inner = functions_passed(anew, DOORS)
        for functions in inner:
            with raising(functions):
                found = anew()
            name = functions[0].__qualname__
            if found != expected or (get_active_context() is not around and name not in LEAVING):
                harmed.append(name)
            push_context(around)
    assert len(inner) >= 15
    assert sorted(harmed) == []
    assert "Signal handler" not in caplog.text
    assert "Unexpected failure" not in caplog.text
