"""Whatever of ours fails on the way of a WSGI request, the server and its visitor see no difference."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.middleware import AmplitudeAIWSGIMiddleware

from .wsgi_applications import FAILING, WHOLE, applications
from .wsgi_faults import harmed_by_faults

ENVIRON = {
    "PATH_INFO": "/page",
    "HTTP_TRACEPARENT": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "HTTP_X_AMPLITUDE_AGENT_ID": "router",
    "HTTP_X_AMP_DEVICE_ID": "d-1",
}


class Later:
    """An answer to be awaited, which may also be forgotten without a warning."""

    def __await__(self) -> Any:
        yield from asyncio.sleep(0).__await__()
        return "ada"


@pytest.mark.usefixtures("swallowing")
@pytest.mark.filterwarnings("ignore:Assigning a code object")  # a function's in a coroutine's place
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # it was to be, by what raises
@pytest.mark.parametrize("kind", [*WHOLE, *sorted(FAILING)])
def test_a_fault_in_any_function_of_ours_changes_nothing(kind: str, sink: MemorySink) -> None:
    ai = AmplitudeAI(config=AIConfig(propagate_context=True), sink=sink)
    app = AmplitudeAIWSGIMiddleware(
        applications(ai)[kind],
        amplitude_ai=ai,
        exclude=["^/none"],
        user_id_resolver=lambda _: Later(),
        session_id_resolver=lambda _: f"thread-{kind}" if kind == "a list" else None,
        context=lambda _: {"plan": "pro"},
    )

    def visit() -> list[Any]:
        seen: list[Any] = []

        def start_response(*given: Any) -> Any:
            seen.append(given[:2])
            return seen.append

        body: Iterable[bytes] = ()
        try:
            body = app(dict(ENVIRON), start_response)
            seen += body
        except LookupError as error:
            seen.append(str(error))
        try:
            getattr(body, "close", list)()
        except LookupError as error:
            seen.append(str(error))
        return seen

    harmed, count = harmed_by_faults(visit)
    assert harmed == []
    assert count > 60
