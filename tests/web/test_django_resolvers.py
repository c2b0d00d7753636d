"""Resolvers under Django get its request, may use the database everywhere, and change no response."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest

from .django_hosting import OpenDjango
from .django_site import AUTHENTICATION, OURS, SESSIONS, User
from .reading import Expected

pytest_plugins = ["tests.web.django_fixtures"]

SPEAKING = ["/plain-sync", "/plain-async", "/spoken-before-sync", "/spoken-before-async"]
TEXTS = {path: "one two" if "before" in path else "done" for path in SPEAKING}
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")


def at_once(request: HttpRequest) -> str | None:
    return request.GET["who"]


async def without_waiting(request: HttpRequest) -> str | None:
    return request.GET["who"]


async def after_waiting(request: HttpRequest) -> str | None:
    await asyncio.sleep(0.002)
    return request.GET["who"]


def from_the_database(request: HttpRequest) -> str:
    return User.objects.get(pk=int(request.GET["who"])).username


async def from_the_database_async(request: HttpRequest) -> str:
    return (await User.objects.aget(pk=int(request.GET["who"]))).username


def of_the_signed_in(request: Any) -> str:
    return f"user-{request.user.pk}"


async def of_the_signed_in_async(request: Any) -> str:
    return f"user-{(await request.auser()).pk}"


def returning_a_coroutine(request: HttpRequest) -> Any:
    return after_waiting(request)


FORMS = {form.__name__: form for form in (at_once, without_waiting, after_waiting, returning_a_coroutine)}


class TestForms:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("path", SPEAKING)
    def test_every_event_has_what_the_resolvers_say(
        self, open_django: OpenDjango, form: str, path: str
    ) -> None:
        site = open_django(USER_ID_RESOLVER=FORMS[form])
        assert site.get(f"{path}?who=grace").text == TEXTS[path]
        expected = Expected().of_user("grace")
        assert site.events == [*expected.exchange(), *expected.end()]

    def test_a_resolver_may_be_named_by_its_path(self, open_django: OpenDjango) -> None:
        site = open_django(USER_ID_RESOLVER=f"{__name__}.at_once")
        site.get("/plain-sync?who=grace")
        expected = Expected().of_user("grace")
        assert site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize("resolver", [from_the_database, from_the_database_async])
    @pytest.mark.parametrize("path", SPEAKING)
    def test_a_resolver_may_ask_the_database(
        self, open_django: OpenDjango, ada: Any, path: str, resolver: Any
    ) -> None:
        site = open_django(USER_ID_RESOLVER=resolver)
        assert site.get(f"{path}?who={ada.pk}").text == TEXTS[path]
        expected = Expected().of_user(ada.username)
        assert site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize("resolver", [of_the_signed_in, of_the_signed_in_async])
    @pytest.mark.parametrize("path", SPEAKING)
    @pytest.mark.parametrize("layers", [[OURS, SESSIONS, AUTHENTICATION], [SESSIONS, AUTHENTICATION, OURS]])
    def test_a_resolver_may_ask_who_has_signed_in(
        self, open_django: OpenDjango, ada: Any, path: str, layers: list[str], resolver: Any
    ) -> None:
        site = open_django({"MIDDLEWARE": layers}, USER_ID_RESOLVER=resolver)
        site.sign_in(ada)
        response = site.get(path)
        assert (response.text, response.headers.get("vary")) == (TEXTS[path], None)
        expected = Expected().of_user(f"user-{ada.pk}")
        assert site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize("resolver", [of_the_signed_in, of_the_signed_in_async])
    @pytest.mark.parametrize("path", ["/asking-for-the-user-sync", "/asking-for-the-user-async"])
    def test_a_view_that_asks_after_it_is_seen_to_ask(
        self, open_django: OpenDjango, ada: Any, path: str, resolver: Any
    ) -> None:
        site = open_django({"MIDDLEWARE": [SESSIONS, AUTHENTICATION, OURS]}, USER_ID_RESOLVER=resolver)
        site.sign_in(ada)
        response = site.get(path)
        assert (response.text, response.headers["vary"]) == (ada.username, "Cookie")

    @pytest.mark.parametrize("path", SPEAKING)
    def test_a_session_that_is_gone_is_not_noticed_for_a_resolver_that_asks_for_it(
        self, open_django: OpenDjango, path: str
    ) -> None:
        layers = [SESSIONS, AUTHENTICATION, OURS]
        site = open_django(
            {"MIDDLEWARE": layers}, USER_ID_RESOLVER=lambda request: request.session.get("who")
        )
        site.cookies = {"sessionid": "gone0000000000000000000000000000"}
        response = site.get(path)
        assert response.text == TEXTS[path]
        assert {"vary", "set-cookie"} & {*response.headers} == set()

    def test_a_resolver_is_asked_once_a_request(self, open_django: OpenDjango) -> None:
        asked: list[str] = []
        site = open_django(USER_ID_RESOLVER=lambda request: asked.append(type(request).__name__))
        site.get("/plain-sync")
        assert asked in (["WSGIRequest"], ["ASGIRequest"])

    def test_dimensions_may_come_from_the_request(self, open_django: OpenDjango) -> None:
        site = open_django(GROUPS=lambda request: {"org": request.GET["who"]}, CONTEXT={"plan": "pro"})
        site.get("/plain-sync?who=acme")
        assert [event["groups"] for event in site.events] == [{"org": "acme"}] * 3
        assert {event["[Agent] Context"] for event in site.events} == {'{"plan":"pro"}'}


def raising(_: HttpRequest) -> str:
    raise PermissionError("no")


async def raising_later(_: HttpRequest) -> str:
    await asyncio.sleep(0)
    raise PermissionError("no")


def out_of_place(_: HttpRequest) -> str:
    raise SynchronousOnlyOperation("always")


FAILURES: dict[str, tuple[Any, str]] = {
    "raises": (raising, "failed"),
    "raises later": (raising_later, "failed"),
    "raises wherever it runs": (out_of_place, "failed"),
    "takes no argument": (lambda: "ada", "failed"),
    "dict": (lambda _: {"id": "ada"}, "answered dict"),
    "bool": (lambda _: True, "answered bool"),
}


@pytest.mark.usefixtures("nothing_logged_yet")
class TestFailures:
    @pytest.mark.parametrize("failure", FAILURES)
    @pytest.mark.parametrize("path", SPEAKING)
    def test_the_response_and_the_events_go_on_without_it(
        self, open_django: OpenDjango, caplog: pytest.LogCaptureFixture, failure: str, path: str
    ) -> None:
        resolver, complaint = FAILURES[failure]
        site = open_django(USER_ID_RESOLVER=resolver)
        for _ in range(2):
            response = site.get(path)
            assert (response.status_code, response.text) == (200, TEXTS[path])
        events = site.events
        expected = Expected()
        assert events[:3] == [*expected.exchange(), *expected.end()]
        assert len(events) == 6
        ours = [record for record in caplog.records if record.name == "amplitude_ai_integrations"]
        assert [record.getMessage() for record in ours] == [
            f"The resolver of user_id {complaint}; events go without it."
        ]
        assert {record.levelno for record in ours} == {logging.WARNING}


def sync_layer(get_response: Any) -> Any:
    """A middleware that only knows synchronous requests."""

    def layer(request: HttpRequest) -> Any:
        return get_response(request)

    return layer


class AsyncLayer:
    """A middleware that only knows asynchronous requests."""

    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        from asgiref.sync import markcoroutinefunction

        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: Any) -> Any:
        return await self.get_response(request)


SYNC, ASYNC = f"{__name__}.sync_layer", f"{__name__}.AsyncLayer"
CHAINS = {
    "sync above": [SYNC, OURS],
    "sync below": [OURS, SYNC],
    "async above": [ASYNC, OURS],
    "async below": [OURS, ASYNC],
    "between both": [SYNC, OURS, ASYNC],
    "between both, reversed": [ASYNC, OURS, SYNC],
    "around": [SYNC, ASYNC, OURS, SYNC, ASYNC],
}


class TestMixedChains:
    @pytest.mark.parametrize("chain", CHAINS)
    @pytest.mark.parametrize("path", SPEAKING)
    def test_layers_of_both_kinds_may_stand_around_and_within(
        self, open_django: OpenDjango, ada: Any, chain: str, path: str
    ) -> None:
        layers = [*CHAINS[chain][:1], SESSIONS, AUTHENTICATION, *CHAINS[chain][1:]]
        site = open_django({"MIDDLEWARE": layers})
        site.sign_in(ada)
        assert site.get(path).text == TEXTS[path]
        expected = Expected().of_user(str(ada.pk))
        assert site.events == [*expected.exchange(), *expected.end()]

    @pytest.mark.parametrize("chain", CHAINS)
    def test_so_they_may_around_a_resolver_that_asks_the_database(
        self, open_django: OpenDjango, ada: Any, chain: str
    ) -> None:
        site = open_django({"MIDDLEWARE": CHAINS[chain]}, USER_ID_RESOLVER=from_the_database)
        assert site.get(f"/plain-async?who={ada.pk}").text == "done"
        expected = Expected().of_user(ada.username)
        assert site.events == [*expected.exchange(), *expected.end()]
