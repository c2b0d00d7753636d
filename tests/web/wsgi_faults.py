"""Where a WSGI server, an application or Flask enters our code; each hands its inner work to a shield."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from ..faults import functions_passed, raising

DOORS = {
    "AmplitudeAIWSGIMiddleware.__call__",
    "AmplitudeAIWSGIMiddleware._noting.<locals>.begin",
    "_begin",
    "_note",
    "Body.__iter__",
    "Body.__next__",
    "Body.__del__",
    "Body.close",
    "Body._close_body",
    "Body._enter",
    "Body._leave",
    "SizedBody.__len__",
    "shielded.__init__",
    "shielded.__enter__",
    "shielded.__exit__",
    "Shield.note",
    "Shield.keep",
    # What the application calls by itself:
    "AmplitudeAI.agent",
    "AmplitudeAI.track_user_message",
    "AmplitudeAI.track_ai_message",
    "AmplitudeAI._record",
    "BoundAgent.__init__",
    "BoundTracking.track_ai_message",
    "BoundTracking._record",
    "Recorder.record",
}


def harmed_by_faults(visit: Callable[[], Any]) -> tuple[list[str], int]:
    """Return the functions of ours whose faults change what `visit` gets to see, and how many were tried."""

    def visit_apart() -> Any:
        return copy_context().run(visit)  # a fault in what restores a context leaves its mark there

    healthy = visit_apart()
    inner = functions_passed(visit_apart, DOORS)
    harmed = []
    for functions in inner:
        with raising(functions):
            answers = [_answer(visit_apart), _answer(visit_apart)]
        if answers != [healthy, healthy] or visit_apart() != healthy:
            harmed.append(functions[0].__qualname__)
    return sorted(harmed), len(inner)


def _answer(visit: Callable[[], Any]) -> Any:
    try:
        return visit()
    except Exception as error:  # noqa: BLE001 - that it raises is what is looked for
        return repr(error)
