"""Whatever of ours fails on the way of a request, Django hands the server the same status, headers and bytes."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Generator
from contextvars import copy_context
from functools import partial
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client, RequestFactory
from django.test.client import AsyncRequestFactory

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink

from ..faults import functions_passed, raising
from .django_site import User
from .reading import AGENT

pytest_plugins = ["tests.web.django_fixtures"]

# Where Django enters our code: each hands its inner work to a shield, and is therefore the one thing that a
# shield cannot stand around.
DOORS = {
    "AmplitudeAIMiddleware.__call__", "AmplitudeAIMiddleware.__acall__", "_note_failure", "_Place.enter",
    "_Place.leave", "Body.__iter__", "Body.__next__", "_SyncBody.__next__", "Body.close", "AsyncBody.__aiter__",
    "AsyncBody.__anext__", "AsyncBody.close", "shielded.__init__", "shielded.__enter__", "shielded.__exit__",
    "Shield.note", "Shield.keep", "Body._enter", "Body._leave",
}  # fmt: skip
# What the views call by themselves, where a wrong argument may raise.
CALLED = {
    "_SettingsClient.__getattr__", "AmplitudeAI.agent", "AmplitudeAI.track_user_message", "AmplitudeAI._record",
    "Recorder.record", "current_session", "BoundAgent.__init__", "BoundAgent.session", "AgentFacts.__post_init__",
    "BoundTracking.track_ai_message", "BoundTracking._record", "Session.__init__", "Session.__enter__",
    "Session.__exit__", "Session._leave", "_Entries.__init__", "check", "_check_idle_timeout",
}  # fmt: skip
SENT = {
    "x-amp-device-id": "d-1",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "x-amplitude-session-id": "s-1",
}


class Plan:
    """An answer to be awaited, which does not mind if it is not."""

    def __await__(self) -> Generator[Any, None, dict[str, str]]:
        yield from asyncio.sleep(0).__await__()
        return {"plan": "pro"}


def plan(_: Any) -> Plan:
    return Plan()


def groups(request: Any) -> dict[str, str]:
    return {"team": User.objects.get(pk=request.user.pk).username}


def by_wsgi(handler: Any, path: str, cookies: str) -> tuple[Any, ...]:
    """Return what the handler hands to a WSGI server, its body read and closed."""
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in SENT.items()}
    environ = RequestFactory().get(path, HTTP_COOKIE=cookies, **headers).environ
    begun: list[Any] = []
    body = handler(environ, lambda *given: begun.append(given))
    try:
        return begun[0], b"".join(body)
    finally:
        body.close()


def by_asgi(handler: Any, path: str, cookies: str) -> tuple[Any, ...]:
    """Return what the handler sends to an ASGI server."""
    scope = AsyncRequestFactory().get(path, headers=SENT).scope
    scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"cookie"]
    scope["headers"].append((b"cookie", cookies.encode()))
    sent: list[Any] = []

    async def visit() -> None:
        waiting = asyncio.Event()
        messages = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            if not messages:
                await waiting.wait()
            return messages.pop()

        async def send(message: Any) -> None:
            sent.append(message)

        await handler(scope, receive, send)

    asyncio.run(visit())
    return sent[0]["status"], sent[0]["headers"], b"".join(one.get("body", b"") for one in sent[1:])


HANDLERS: dict[Any, Any] = {by_wsgi: WSGIHandler, by_asgi: ASGIHandler}


def looked_at(visit: Callable[[], Any]) -> None:
    """Visit so that the threads of the request are looked at as well."""
    threading.setprofile(sys.getprofile())
    copy_context().run(visit)
    threading.setprofile(None)


def outcome(visit: Callable[[], Any]) -> Any:
    try:
        return copy_context().run(visit)
    except Exception as error:  # noqa: BLE001 - whatever it is, it would be the server's
        return error


@pytest.mark.usefixtures("swallowing")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("by", "path"),
    [
        (by_wsgi, "/plain-sync"),
        (by_wsgi, "/spoken-before-sync"),
        (by_wsgi, "/own-session"),
        (by_asgi, "/plain-async"),
        (by_asgi, "/plain-sync"),
        (by_asgi, "/spoken-before-async"),
    ],
)
def test_the_response_survives_a_fault_in_any_function_of_ours(
    override: Any, ada: Any, sink: MemorySink, by: Callable[..., Any], path: str
) -> None:
    ai = AmplitudeAI(config=AIConfig(propagate_context=True), sink=sink)
    resolvers = {"CONTEXT": plan, "GROUPS": groups}
    override(AMPLITUDE_AI={"CLIENT": ai, "AGENT_ID": AGENT, "EXCLUDE": ["^/none"], **resolvers})
    visitor = Client()
    visitor.force_login(ada)
    visit = partial(by, HANDLERS[by](), path, f"sessionid={visitor.cookies['sessionid'].value}")
    expected = visit()
    inner = functions_passed(partial(looked_at, visit), DOORS | CALLED)
    harmed = {}
    for functions in inner:
        with raising(functions):
            result = outcome(visit)
        if result != expected:
            harmed[functions[0].__qualname__] = str(result)[:150]
    assert harmed == {}
    assert len(inner) > 60
