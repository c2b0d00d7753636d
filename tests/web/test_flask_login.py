"""By default the user is Flask-Login's, and asking for one shows nowhere."""

from __future__ import annotations

from typing import Any

import flask_login
import httpx
import pytest

from amplitude_ai_integrations import AmplitudeAI, MemorySink

from .flask_login_applications import build_with_login
from .reading import Expected
from .wsgi_hosting import WsgiSite

pytest_plugins = ["tests.web.wsgi_fixtures"]

PLACES = ["/open", "/open-async", "/guarded", "/streamed", "/streamed-with-context", "/guarded-stream"]
BROWSER = {"User-Agent": "a browser"}


def visit(site: WsgiSite, *paths: str, **headers: str) -> httpx.Response:
    """Visit one page after the other with the same cookies, and return the last answer."""
    with httpx.Client(base_url=site.url, headers={**BROWSER, **headers}, trust_env=False) as browser:
        for path in paths:
            response = browser.get(path)
            site.wait_until_idle()
    return response


def told_headers(response: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name != "date"}


def users(sink: MemorySink) -> set[Any]:
    return {event.get("user_id") for event in sink.events}


@pytest.mark.parametrize("path", PLACES)
def test_whoever_is_logged_in_is_the_user(wsgi_site: WsgiSite, ai: AmplitudeAI, path: str) -> None:
    app, _ = build_with_login(ai)
    site = wsgi_site.install(app)
    assert visit(site, "/login/ada", path).status_code == 200
    expected = Expected().of_user("ada")
    assert site.events == [*expected.exchange(), *expected.end()]


@pytest.mark.parametrize("path", [path for path in PLACES if "guarded" not in path])
def test_nobody_is_loaded_for_a_visitor_without_cookies(
    one_wsgi_site: WsgiSite, ai: AmplitudeAI, path: str
) -> None:
    app, table = build_with_login(ai)
    site = one_wsgi_site.install(app)
    assert visit(site, path).status_code == 200
    expected = Expected()
    assert site.events == [*expected.exchange(), *expected.end()]
    assert table.read == []


def test_nobody_is_looked_for_in_other_ways_for_an_event(one_wsgi_site: WsgiSite, ai: AmplitudeAI) -> None:
    app, table = build_with_login(ai)
    app.login_manager.request_loader(lambda _: table.read.append("by the request"))  # type: ignore[attr-defined]
    visit(one_wsgi_site.install(app), "/open")
    assert table.read == []


def test_nobody_is_loaded_where_no_agent_speaks(one_wsgi_site: WsgiSite, ai: AmplitudeAI) -> None:
    app, table = build_with_login(ai)
    site = one_wsgi_site.install(app)
    assert visit(site, "/login/ada", "/silent").text == "ok"
    assert (table.read, site.sink.events) == ([], [])


@pytest.mark.parametrize("path", [*PLACES, "/spoken-first", "/silent", "/logout", "/switch/grace"])
def test_the_response_is_what_it_is_without_us(one_wsgi_site: WsgiSite, ai: AmplitudeAI, path: str) -> None:
    responses = []
    for tracked in (False, True):
        app, _ = build_with_login(ai, tracked=tracked)
        responses.append(visit(one_wsgi_site.install(app), "/login/ada", path))
    bare, ours = responses
    cookies = [told_headers(one).pop("set-cookie", None) is None for one in responses]
    assert cookies[0] == cookies[1]
    assert (ours.status_code, ours.content) == (bare.status_code, bare.content)
    assert {name: value for name, value in told_headers(ours).items() if name != "set-cookie"} == {
        name: value for name, value in told_headers(bare).items() if name != "set-cookie"
    }


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/guarded", 0),
        ("/guarded-stream", 0),
        ("/streamed", 0),
        ("/switch/grace", 0),
        ("/open", 1),
        ("/spoken-first", 1),
    ],
)
def test_a_user_is_loaded_for_an_event_only_where_the_view_has_not_loaded_one(
    one_wsgi_site: WsgiSite, ai: AmplitudeAI, path: str, more: int
) -> None:
    read = []
    for tracked in (False, True):
        app, table = build_with_login(ai, tracked=tracked)
        visit(one_wsgi_site.install(app), "/login/ada", path)
        read.append(len(table.read))
    assert read[1] - read[0] == more


def test_a_user_who_is_gone_is_nobody(one_wsgi_site: WsgiSite, ai: AmplitudeAI) -> None:
    app, table = build_with_login(ai)
    site = one_wsgi_site.install(app)
    table.users["ada"] = False
    visit(site, "/login/ada", "/open")
    assert users(site.sink) == {None}


@pytest.mark.parametrize(("path", "user"), [("/switch/grace", "grace"), ("/logout", None)])
def test_who_logs_in_or_out_in_the_request_counts(
    one_wsgi_site: WsgiSite, ai: AmplitudeAI, path: str, user: str | None
) -> None:
    app, _ = build_with_login(ai)
    site = one_wsgi_site.install(app)
    visit(site, "/login/ada", path)
    assert users(site.sink) == {user}


@pytest.mark.parametrize("path", ["/open", "/streamed", "/streamed-with-context"])
def test_a_browser_that_is_remembered_is_its_user(
    one_wsgi_site: WsgiSite, ai: AmplitudeAI, path: str
) -> None:
    responses = []
    for tracked in (False, True):
        app, _ = build_with_login(ai, tracked=tracked)
        site = one_wsgi_site.install(app)
        token = visit(site, "/login/ada?remember=1").cookies["remember_token"]
        responses.append(told_headers(visit(site, path, Cookie=f"remember_token={token}")))
        if not tracked:
            site.sink.events.clear()
    assert users(site.sink) == {"ada"}
    assert responses[0] == responses[1]


@pytest.mark.parametrize("cookie", ["remember_token=ada|forged", "remember_token=", "session=forged"])
def test_a_forged_cookie_is_nobodys(one_wsgi_site: WsgiSite, ai: AmplitudeAI, cookie: str) -> None:
    app, table = build_with_login(ai)
    site = one_wsgi_site.install(app)
    visit(site, "/open", Cookie=cookie)
    assert (users(site.sink), table.read) == ({None}, [])


@pytest.mark.parametrize("protection", ["basic", "strong"])
@pytest.mark.parametrize("path", ["/open", "/spoken-first"])
def test_a_session_that_moved_to_another_browser_is_treated_as_without_us(
    one_wsgi_site: WsgiSite, ai: AmplitudeAI, protection: str, path: str
) -> None:
    answers = []
    for tracked in (False, True):
        app, _ = build_with_login(ai, tracked=tracked)
        app.login_manager.session_protection = protection  # type: ignore[attr-defined]
        site = one_wsgi_site.install(app)
        token = visit(site, "/login/ada").cookies["session"]
        with httpx.Client(headers={"User-Agent": "another"}, trust_env=False) as browser:
            browser.cookies.set("session", token)
            response = browser.get(site.url + path)
            site.wait_until_idle()
        kept = flask_session(app, response)
        answers.append((response.text, response.headers.get("vary"), kept))
        if not tracked:
            site.sink.events.clear()
    assert answers[0] == answers[1]
    assert users(site.sink) == {"ada" if protection == "basic" else None}


def flask_session(app: Any, response: httpx.Response) -> Any:
    """What the session is after a response, or `None` where that did not set it."""
    token = response.cookies.get("session")
    serializer = app.session_interface.get_signing_serializer(app)
    return None if token is None else serializer.loads(token)


def test_the_default_can_be_switched_off(one_wsgi_site: WsgiSite, ai: AmplitudeAI) -> None:
    app, table = build_with_login(ai, user_id_resolver=None)
    site = one_wsgi_site.install(app)
    visit(site, "/login/ada", "/open")
    assert (users(site.sink), table.read) == ({None}, [])


@pytest.mark.parametrize("path", ["/open", "/open-async", "/streamed", "/streamed-with-context"])
def test_a_resolver_of_the_apps_may_ask_for_the_current_user(
    one_wsgi_site: WsgiSite, ai: AmplitudeAI, path: str
) -> None:
    app, _ = build_with_login(ai, user_id_resolver=lambda _: f"user-{flask_login.current_user.get_id()}")
    site = one_wsgi_site.install(app)
    assert visit(site, "/login/ada", path).status_code == 200
    assert users(site.sink) == {"user-ada"}


def test_a_loader_that_fails_leaves_the_event_without_a_user(
    one_wsgi_site: WsgiSite, ai: AmplitudeAI, caplog: pytest.LogCaptureFixture
) -> None:
    app, table = build_with_login(ai)
    site = one_wsgi_site.install(app)
    table.users = None  # type: ignore[assignment]
    assert visit(site, "/login/ada", "/open").text == "done"
    assert users(site.sink) == {None}
    assert "The resolver of user_id failed; events go without it." in caplog.text
