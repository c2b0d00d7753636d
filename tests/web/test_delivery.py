"""Events of many requests leave together: nothing is flushed inside a request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from amplitude import Amplitude, Config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from amplitude_ai_integrations import AIConfig, AmplitudeAI
from tests.conftest import Serve

from .conftest import OpenSite

REQUESTS = 50


class Collector(Starlette):
    """Takes events as Amplitude's HTTP V2 API does, and keeps its uploads apart."""

    def __init__(self) -> None:
        paths = ("/2/httpapi", "/batch")
        super().__init__(routes=[Route(path, self.take, methods=["POST"]) for path in paths])
        self.uploads: list[list[dict[str, Any]]] = []

    async def take(self, request: Request) -> JSONResponse:
        """Keep one upload."""
        batch = (await request.json())["events"]
        self.uploads.append(batch)
        return JSONResponse({"code": 200, "events_ingested": len(batch)})


@pytest.fixture
def collector(serve: Serve) -> tuple[Collector, str]:
    collector = Collector()
    return collector, serve(collector, log_level="critical")


@pytest.fixture(params=["own client", "shared client"])
def delivering(request: pytest.FixtureRequest, collector: tuple[Collector, str]) -> Iterator[AmplitudeAI]:
    """An AmplitudeAI that delivers to the collector, through a client of its own or of the application's."""
    url = collector[1]
    if request.param == "own client":
        ai = AmplitudeAI(api_key="key", config=AIConfig(server_url=url))
        yield ai
        ai.shutdown()
    else:
        client = Amplitude("key", Config(server_url=url + "/2/httpapi", min_id_length=1))
        yield AmplitudeAI(amplitude=client)
        client.shutdown()


def test_fifty_requests_are_a_handful_of_uploads(
    open_site: OpenSite, collector: tuple[Collector, str], delivering: AmplitudeAI
) -> None:
    site = open_site(client_of_events=delivering)
    for number in range(REQUESTS):
        site.get("/plain-async" if number % 2 else "/plain-sync")
    delivering.flush().result(timeout=5)
    uploads = collector[0].uploads
    kinds = Counter(event["event_type"] for batch in uploads for event in batch)
    assert kinds == {
        "[Agent] User Message": REQUESTS,
        "[Agent] AI Response": REQUESTS,
        "[Agent] Session End": REQUESTS,
    }
    assert len(uploads) <= 5


@pytest.mark.parametrize(
    ("platform", "options", "is_awaited"),
    [
        ("", {"flush_on_response": True}, True),
        ("VERCEL", {}, True),
        ("VERCEL", {"flush_on_response": False}, False),
    ],
)
def test_a_request_waits_for_its_events_where_it_is_told_to_or_the_platform_freezes(
    open_site: OpenSite,
    collector: tuple[Collector, str],
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    options: dict[str, Any],
    is_awaited: bool,
) -> None:
    if platform:
        monkeypatch.setenv(platform, "1")
    ai = AmplitudeAI(api_key="key", config=AIConfig(server_url=collector[1]))
    site = open_site(client_of_events=ai, **options)
    try:
        site.get("/plain-async")
        site.host.wait_until_idle()
        arrived = sum(map(len, collector[0].uploads))
        assert arrived == (3 if is_awaited else 0)
    finally:
        ai.shutdown()
