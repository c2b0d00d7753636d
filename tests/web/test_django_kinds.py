"""Django on real servers: wherever an agent speaks, its events have the request's session, which ends once."""

from __future__ import annotations

import gc
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from django.core.handlers.asgi import ASGIHandler

from . import django_views
from .django_hosting import SERVERS, DjangoSite, OpenDjango
from .reading import Expected

pytest_plugins = ["tests.web.django_fixtures"]
pytestmark = pytest.mark.parametrize("django_server", SERVERS, indirect=True)

SPEAKING = {
    "/plain-sync": "done",
    "/plain-async": "done",
    "/streamed-sync": "one two",
    "/streamed-async": "one two",
    "/spoken-before-sync": "one two",
    "/spoken-before-async": "one two",
    "/spoken-at-the-close": "one two",
    "/in-tasks-and-threads": "done",
}
# What Django says where a server of one kind has to read a body of the other kind whole.
MISMATCHED = {"/streamed-sync-by-async-view": "one two", "/streamed-async-by-sync-view": "one two"}
SILENT = ["/silent-sync", "/silent-async", "/file", "/nowhere"]
FAILED = {"is_error": True, "error_type": "LookupError"}


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
class TestPlaces:
    @pytest.mark.parametrize("path", {**SPEAKING, **MISMATCHED})
    def test_an_agent_has_the_requests_session_wherever_it_speaks(
        self, django_site: DjangoSite, path: str
    ) -> None:
        response = django_site.get(path)
        assert (response.status_code, response.text) == (200, {**SPEAKING, **MISMATCHED}[path])
        expected = Expected()
        assert django_site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize("path", ["/plain-sync", "/plain-async", "/streamed-sync", "/streamed-async"])
    def test_a_conversation_of_three_requests_is_one_session(
        self, open_django: OpenDjango, path: str
    ) -> None:
        site = open_django(SESSION_ID_RESOLVER=lambda request: request.headers.get("x-thread"))
        thread = f"thread-{uuid4()}"
        for _ in range(3):
            site.get(path, headers={"x-thread": thread})
        expected = Expected(thread)
        assert site.events == [*expected.exchange(), *expected.exchange(), *expected.exchange()]

    def test_a_session_that_the_view_opens_wins(self, django_site: DjangoSite) -> None:
        assert django_site.get("/own-session").text == "done"
        expected = Expected()
        assert django_site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize("path", SILENT)
    def test_a_request_in_which_no_agent_speaks_emits_nothing(
        self, django_site: DjangoSite, path: str
    ) -> None:
        django_site.get(path)
        assert django_site.events == []

    def test_a_file_is_the_servers_and_the_session_ends_before_it(self, django_site: DjangoSite) -> None:
        response = django_site.get("/spoken-before-a-file")
        assert response.content == Path(django_views.__file__).read_bytes()
        expected = Expected()
        assert django_site.events == [*expected.exchange(), *expected.end()]

    def test_the_browsers_ids_link_to_its_replay(self, django_site: DjangoSite) -> None:
        django_site.get(
            "/plain-sync", headers={"X-Amp-Device-Id": "d-1", "X-Amp-Session-Id": "1763700000000"}
        )
        found = {
            (event["device_id"], event.get("[Amplitude] Session Replay ID")) for event in django_site.events
        }
        assert found == {("d-1", "d-1/1763700000000")}


def collect_what_django_left_open(site: DjangoSite) -> None:
    """Its ASGI handler does not close the request's body where an error leaves it."""
    site.server.host.errors.clear()
    gc.collect()


class TestErrors:
    @pytest.mark.parametrize("path", ["/raising-sync", "/raising-async"])
    def test_an_unhandled_error_is_the_sessions(self, django_site: DjangoSite, path: str) -> None:
        assert django_site.get(path).status_code == 500
        expected = Expected()
        assert django_site.events == [*expected.exchange(), *expected.end(**FAILED)]
        assert django_site.server.host.errors == []

    @pytest.mark.filterwarnings("ignore:Unclosed file <tempfile")
    @pytest.mark.parametrize("path", ["/raising-sync", "/raising-async"])
    def test_so_it_is_where_django_hands_it_to_the_server(self, open_django: OpenDjango, path: str) -> None:
        site = open_django({"DEBUG_PROPAGATE_EXCEPTIONS": True})
        assert site.get(path).status_code == 500
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end(**FAILED)]
        assert [repr(error) for error in site.server.host.errors] == ["LookupError('before')"]
        collect_what_django_left_open(site)

    @pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume", "ignore:Unclosed file <tempfile")
    @pytest.mark.parametrize("path", ["/raising-within-sync", "/raising-within-async"])
    def test_an_error_within_the_body_is_the_sessions(self, django_site: DjangoSite, path: str) -> None:
        with suppress(httpx.RemoteProtocolError):  # where the server says that the body is not whole
            django_site.get(path)
        expected = Expected()
        assert django_site.events == [*expected.exchange(), *expected.end(**FAILED)]
        collect_what_django_left_open(django_site)

    @pytest.mark.parametrize(("path", "status"), [("/missing", 404), ("/refusing", 403)])
    def test_a_refusal_is_no_error(self, django_site: DjangoSite, path: str, status: int) -> None:
        assert django_site.get(path).status_code == status
        expected = Expected()
        assert django_site.events == [*expected.exchange(), *expected.end()]

    def test_where_the_session_goes_on_an_error_is_a_failed_step(self, open_django: OpenDjango) -> None:
        thread = f"thread-{uuid4()}"
        site = open_django(SESSION_ID_RESOLVER=lambda _: thread)
        assert site.get("/raising-sync").status_code == 500
        expected = Expected(thread)
        step = {"span_id": "span 1", "span_name": "request", "latency_ms": "ms", "error_message": "before"}
        events = [*expected.exchange(), expected.event("Span", **step, **FAILED)]
        assert site.events == events


class TestDisconnects:
    def test_a_visitor_who_leaves_the_stream_ends_the_session_once(self, django_site: DjangoSite) -> None:
        # A body of the other kind would be read whole before its first byte is sent.
        is_async = django_site.server.handler is ASGIHandler
        django_site.leave("/endless-async" if is_async else "/endless-sync")
        expected = Expected()
        assert django_site.events == [*expected.exchange(), *expected.end()]

    def test_a_visitor_who_leaves_does_not_end_a_conversation(self, open_django: OpenDjango) -> None:
        thread = f"thread-{uuid4()}"
        site = open_django(SESSION_ID_RESOLVER=lambda _: thread)
        is_async = site.server.handler is ASGIHandler
        site.leave("/endless-async" if is_async else "/endless-sync")
        assert site.events == Expected(thread).exchange()
