"""Who an event's user is, and that finding out leaves no trace in the request, its session or its response."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.utils.functional import SimpleLazyObject

from amplitude_ai_integrations import AmplitudeAI, MemorySink

from . import django_views
from .django_hosting import OpenDjango
from .django_site import AUTHENTICATION, OURS, SESSIONS, Session, User
from .django_views import speak
from .reading import AGENT, Expected

pytest_plugins = ["tests.web.django_fixtures"]

PLACES = {"first": [OURS, SESSIONS, AUTHENTICATION], "last": [SESSIONS, AUTHENTICATION, OURS]}
SPEAKING = [
    "/plain-sync", "/plain-async", "/streamed-sync", "/streamed-async", "/spoken-before-sync",
    "/spoken-before-async", "/asking-for-the-user-sync", "/asking-for-the-user-async",
]  # fmt: skip


@pytest.fixture(params=PLACES)
def layers(request: pytest.FixtureRequest) -> list[str]:
    return PLACES[request.param]


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
class TestSignedIn:
    @pytest.mark.parametrize("where", SPEAKING)
    def test_the_user_is_whom_django_has_signed_in(
        self, open_django: OpenDjango, layers: list[str], ada: Any, where: str
    ) -> None:
        site = open_django({"MIDDLEWARE": layers})
        site.sign_in(ada)
        assert site.get(where).status_code == 200
        expected = Expected().of_user(str(ada.pk))
        assert site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize("where", SPEAKING)
    def test_a_visitor_who_has_not_has_none(self, open_django: OpenDjango, where: str) -> None:
        site = open_django()
        assert site.get(where).status_code == 200
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]

    def test_the_default_can_be_switched_off(self, open_django: OpenDjango, ada: Any) -> None:
        site = open_django(USER_ID_RESOLVER=None)
        site.sign_in(ada)
        site.get("/asking-for-the-user-sync")
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]

    def test_without_djangos_own_middleware_there_is_none(self, open_django: OpenDjango, ada: Any) -> None:
        site = open_django({"MIDDLEWARE": [OURS]})
        site.sign_in(ada)
        site.get("/plain-sync")
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]


def whole(response: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = [(name, value) for name, value in response.headers.items() if name not in ("date", "server")]
    return response.status_code, headers, response.content


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
class TestNoTrace:
    @pytest.mark.parametrize("where", SPEAKING)
    def test_the_response_is_the_same_with_and_without_us(
        self, open_django: OpenDjango, layers: list[str], ada: Any, where: str
    ) -> None:
        site = open_django({"MIDDLEWARE": [SESSIONS, AUTHENTICATION]})
        site.sign_in(ada)
        bare = whole(site.get(where))
        site = open_django({"MIDDLEWARE": layers})
        site.sign_in(ada)
        assert whole(site.get(where)) == bare
        assert ("vary" in dict(bare[1])) == where.startswith("/asking")

    @pytest.mark.parametrize("where", ["/plain-sync", "/plain-async"])
    def test_so_it_is_with_a_session_that_is_gone_or_outdated(
        self, open_django: OpenDjango, layers: list[str], ada: Any, where: str
    ) -> None:
        site = open_django({"MIDDLEWARE": layers})
        site.sign_in(ada)
        ada.set_password("another")
        ada.save()
        outdated = site.get(where)
        assert Session.objects.filter(pk=site.cookies["sessionid"]).count() == 1
        site.cookies = {"sessionid": "gone0000000000000000000000000000"}
        gone = site.get(where)
        for response in (outdated, gone):
            assert {"set-cookie", "vary"} & {*response.headers} == set()
        assert {event["device_id"] for event in site.events} == {"of the session"}


def count_queries(visitor: Client, where: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = visitor.get(where)
        if response.streaming:
            response.getvalue()
        response.close()
    return len(queries)


@pytest.fixture
def visitor(override: Any, ai: AmplitudeAI) -> Client:
    override(AMPLITUDE_AI={"CLIENT": ai, "AGENT_ID": AGENT})
    return Client()


class TestQueries:
    @pytest.mark.parametrize("where", ["/plain-sync", "/streamed-sync", "/plain-async", "/silent-sync"])
    def test_a_visitor_without_a_session_costs_none(self, visitor: Client, where: str) -> None:
        assert count_queries(visitor, where) == 0

    @pytest.mark.parametrize("where", ["/silent-sync", "/silent-async", "/file"])
    def test_a_request_without_an_agent_costs_none(self, visitor: Client, ada: Any, where: str) -> None:
        visitor.force_login(ada)
        assert count_queries(visitor, where) == 0

    def test_a_view_that_asks_for_the_user_costs_no_more(self, visitor: Client, ada: Any) -> None:
        visitor.force_login(ada)
        assert count_queries(visitor, "/asking-for-the-user-sync") == 2

    def test_another_costs_what_asking_costs(self, visitor: Client, ada: Any, sink: MemorySink) -> None:
        visitor.force_login(ada)
        assert count_queries(visitor, "/plain-sync") == 2
        assert {event["user_id"] for event in sink.events} == {str(ada.pk)}


class Token:
    """A project's own authentication, as a lazy object that marks the session as asked for."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        def look_up() -> Any:
            request.session.get("anything")
            return User(pk=int(request.headers["x-token"]))

        request.user = SimpleLazyObject(look_up)
        return self.get_response(request)


def signing_in(request: Any) -> Any:
    """A view that signs a user in after the agent has spoken."""
    from django.contrib.auth import login

    speak()
    login(request, User.objects.get(pk=request.GET["pk"]))
    return django_views.HttpResponse("done")


urlpatterns = [*django_views.urlpatterns, path("signing-in", signing_in)]


class TestOtherAuthentication:
    @pytest.mark.parametrize("where", ["/plain-sync", "/plain-async", "/streamed-sync"])
    def test_a_lazy_user_of_the_projects_own_is_asked_late(self, open_django: OpenDjango, where: str) -> None:
        site = open_django({"MIDDLEWARE": [SESSIONS, OURS, f"{__name__}.Token"]})
        if site.server.handler.__name__ == "ASGIHandler" and where == "/streamed-sync":
            where = "/streamed-async"
        response = site.get(where, headers={"x-token": "7"})
        assert "vary" not in response.headers
        expected = Expected().of_user("7")
        assert site.events == [*expected.exchange(), *expected.end()]

    def test_who_signs_in_during_the_request_is_the_user(self, open_django: OpenDjango, ada: Any) -> None:
        site = open_django({"ROOT_URLCONF": __name__})
        assert site.get(f"/signing-in?pk={ada.pk}").text == "done"
        expected = Expected().of_user(str(ada.pk))
        assert site.events == [*expected.exchange(), *expected.end()]
