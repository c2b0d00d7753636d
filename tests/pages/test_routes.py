"""Every page answers, escapes, fits its budget and needs nothing inline."""

from __future__ import annotations

import gzip
import json
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from amplitude_ai_integrations.analytics.pages import assets

from .app import make_app
from .sample import Reader, Script, calm, funnel, grown, many

FUNNEL = "/sessions/sess-a3f8c2e1-77d0"
EVIL = "/sessions/..%2Fevil%2F%3Cb%3E%E2%80%AE"
ADDRESSES = [
    "/sessions",
    FUNNEL,
    f"{FUNNEL}?tab=info",
    f"{FUNNEL}?tab=turns&step=step-20",
    f"{FUNNEL}/events",
    EVIL,
    "/sessions/none<b>",
]


def long_session(turns: int) -> Reader:
    detail = funnel()
    while len(detail.turns) < turns:
        more = funnel().turns[len(detail.turns) % 6]
        detail = replace(detail, turns=(*detail.turns, replace(more, number=len(detail.turns) + 1)))
    return Reader([replace(detail, row=replace(detail.row, turns=turns))])


def test_the_list_is_the_first_page(client: TestClient) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/sessions")


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_is_inline_or_fetched_from_elsewhere(client: TestClient, address: str) -> None:
    html = client.get(address).text
    assert not re.search(r"""<[^>]*\s(style|on\w+)=|<style|<script(?! src="/static/)|hx-on|["']js:""", html)
    assert set(re.findall(r'(?:src|href)="(https?:)?//', html)) == set()


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_id_is_used_twice(client: TestClient, address: str) -> None:
    ids = re.findall(r'\sid=(?:"([^"]+)"|([\w-]+))', client.get(address).text)
    names = [one or other for one, other in ids]
    assert sorted(names) == sorted(set(names))


def test_hostile_names_are_text_on_every_page(client: TestClient) -> None:
    for address in ("/sessions", EVIL, f"{EVIL}?tab=info", f"{EVIL}?tab=turns"):
        html = client.get(address).text
        assert "<script>alert" not in html
        assert "<img" not in html
        assert "\u202e" not in html
    assert (
        "<title>&lt;script&gt;alert(1)&lt;/script&gt; gpj.exe · Agent Analytics</title>"
        in client.get(EVIL).text
    )


def test_a_row_says_what_was_found(client: TestClient) -> None:
    html = client.get("/sessions").text
    [row] = re.findall(r'<tr id="\w+" role=row>(?:(?!</tr>).)*What is the status.*?</tr>', html, re.DOTALL)
    assert re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip().startswith(
        "What is the status of order 55-10-2231? support-bot sess-0b3e u_6620 3 errors last turn failed 1 turn 3 4,850 $0.0042 30.0\u202fs".replace("\u202f", " ")
    )  # fmt: skip
    assert 'class="mk failed" role=img aria-label="Failed"' in row


def test_unknown_is_a_dash_with_a_reason(client: TestClient) -> None:
    assert '<td role=cell title="Cost unknown">—</td>' in client.get("/sessions").text


def test_the_list_is_paged_by_keys(client: TestClient) -> None:
    first = client.get("/sessions").text
    second = client.get("/sessions?older=50").text
    assert "1\u201350 of <span id=whole>69</span>" in first
    assert 'href="?older=50">Older' in first
    assert "Newer" not in first
    assert "51\u201369 of <span id=whole>69</span>" in second
    assert 'href="?newer=0">Newer' in second
    assert "data-stream" not in second


def test_before_the_first_event_there_is_a_guide() -> None:
    html = TestClient(make_app(Reader([], events=0))).get("/sessions").text
    assert "Waiting for the first agent event" in html
    assert "AMPLITUDE_AI_SERVER_URL=http://127.0.0.1:8320" in html
    assert "No. Point the app here" in html


def test_the_guide_says_why_something_was_refused() -> None:
    app = make_app(Reader([], events=0))
    app.state.traffic.requests = 2
    app.state.traffic.last_refusal = "missing api_key <b>"
    app.state.traffic.last_refusal_at_ms = app.state.started_at
    html = TestClient(app).get("/sessions").text
    assert "Yes, 2 requests." in html
    assert "missing api_key &lt;b&gt; (2\u202fmin ago)" in html


def test_events_without_a_session_are_not_called_sessions() -> None:
    html = TestClient(make_app(Reader([], events=3))).get("/sessions").text
    assert "3 events arrived, none with a session id." in html


def test_an_unknown_session_is_said_to_be_unknown(client: TestClient) -> None:
    answer = client.get("/sessions/none%3Cb%3E")
    assert answer.status_code == 404
    assert "<code>none&lt;b&gt;</code>" in answer.text


def test_neighbours_keep_the_tab(client: TestClient) -> None:
    html = client.get("/sessions/sess-7c1f11?tab=info").text
    assert 'rel=prev href="/sessions/sess-a3f8c2e1-77d0?tab=info"' in html
    assert 'rel=next href="/sessions/sess-19be07?tab=info"' in html
    assert "2 of 69" in html


def test_a_strange_tab_or_step_shows_the_page_without_it(client: TestClient) -> None:
    html = client.get(f"{FUNNEL}?tab=<b>&step=<i>&scale=x&rows=x").text
    assert 'href="?tab=thread" aria-selected=true' in html


def test_the_inspector_comes_alone_when_asked_for(client: TestClient) -> None:
    failed = next(step.step_id for turn in funnel().turns for step in turn.steps if step.is_error)
    html = client.get(f"{FUNNEL}?tab=turns&step={failed}", headers={"HX-Target": "aside#inspector"}).text
    assert html.startswith('<aside id=inspector aria-label="Step">')
    assert "no answer from log-store after 10 s (attempt 1 of 2)" in html
    assert '<mark title="Redacted: bearer token">' in html


def test_turns_can_share_one_scale(client: TestClient) -> None:
    own, shared = client.get(f"{FUNNEL}?tab=turns").text, client.get(f"{FUNNEL}?tab=turns&scale=session").text
    assert own.count("<span>13.8\u202fs</span>") == 1
    assert shared.count("<span>13.8\u202fs</span>") == 6


def test_a_step_id_may_be_anything() -> None:
    detail = calm("s")
    turn = detail.turns[0]
    odd = replace(turn.steps[0], step_id='"><script>\u202e&x=1#', name="\u202e<b>")
    client = TestClient(make_app(Reader([replace(detail, turns=(replace(turn, steps=(odd,)),))])))
    html = client.get("/sessions/s?tab=turns").text
    link = re.search(r'<a href="(\?tab=turns&amp;step=[^"#]+)', html)
    assert link
    assert "class=facts" in client.get("/sessions/s" + link[1].replace("&amp;", "&")).text
    assert "<script>" not in html.replace('<script src="/static/', "")


def test_raw_events_are_paged(client: TestClient) -> None:
    html = client.get(f"{FUNNEL}/events?offset=100").text
    assert "101\u2013120 of 120" in html
    assert 'href="?offset=50">Earlier' in html
    assert "Later" not in html


def test_a_session_may_be_taken_away(client: TestClient) -> None:
    text = client.get(f"{FUNNEL}?as=markdown").text
    assert text.startswith("# Why does my funnel show 0 conversions since Tuesday?\n")
    assert (
        "- failed: read_ingestion_log: TimeoutError no answer from log-store after 10 s (attempt 1 of 2)"
        in text
    )
    assert json.loads(client.get(f"{FUNNEL}?as=json").text)["row"]["turns"] == 6


def test_the_theme_is_remembered_and_leads_back(client: TestClient) -> None:
    answer = client.post("/theme?to=dark&back=/sessions%3Folder%3D50")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sessions?older=50")
    assert "<html lang=en data-theme=dark>" in client.get("/sessions", headers={"Cookie": "theme=dark"}).text
    assert "<html lang=en>" in client.get("/sessions", headers={"Cookie": "theme=x<b>"}).text


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "http://[::1"],
)
def test_the_theme_switch_leads_nowhere_else(client: TestClient, back: str) -> None:
    assert client.post("/theme", params={"to": "dark", "back": back}).headers["location"] == "/"


def test_static_files_are_kept_by_their_content(client: TestClient) -> None:
    pinned = client.get(assets.static_url("app.css"))
    assert (pinned.headers["cache-control"], pinned.headers["content-type"]) == (
        "public, max-age=31536000, immutable",
        "text/css; charset=utf-8",
    )
    assert client.get("/static/app.css?v=other").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["..%2Froutes.py", "nothing.css", "%2Fetc%2Fpasswd", "app.css%00"])
def test_only_the_files_of_the_pages_are_served(client: TestClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_vendored_files_have_their_licence_beside_them() -> None:
    folder = Path(assets.__file__).parent / "static"
    assert "Zero-Clause BSD" in (folder / "htmx-LICENSE.txt").read_text()
    assert 'version="4.0.1"' in (folder / "htmx.min.js").read_text().replace("'", '"')


@pytest.mark.parametrize(
    ("address", "reader", "raw_kb", "packed_kb"),
    [
        ("/sessions", Reader(many()), 60, 8),
        (FUNNEL, long_session(20), 80, 80),
        (f"{FUNNEL}?tab=turns", long_session(20), 60, 60),
    ],
    ids=["list of 50", "thread of 20 turns", "20 turns"],
)
def test_pages_keep_their_budget(address: str, reader: Reader, raw_kb: int, packed_kb: int) -> None:
    html = TestClient(make_app(reader)).get(address).content
    assert len(html) <= raw_kb * 1000
    assert len(gzip.compress(html)) <= packed_kb * 1000


def test_styles_and_scripts_keep_their_budget(client: TestClient) -> None:
    css, script = client.get("/static/app.css").content, client.get("/static/app.js").content
    assert (len(css) <= 32_000, len(gzip.compress(css)) <= 8_000, len(gzip.compress(script)) <= 8_000) == (
        True,
        True,
        True,
    )


def test_lone_surrogates_do_not_break_a_page() -> None:
    detail = grown(calm("s", title="a\ud800b", agent="\udfff", user_id="\ud800"), "\ud800")
    client = TestClient(make_app(Reader([detail])))
    assert [client.get(f"/sessions/s?tab={tab}").status_code for tab in ("thread", "info", "turns")] == [
        200,
        200,
        200,
    ]
    assert [client.get(f"/sessions/s?as={kind}").status_code for kind in ("markdown", "json")] == [200, 200]


@pytest.mark.parametrize("name", ["look", "look {}"])
def test_three_thousand_steps_open_within_a_second(name: str) -> None:
    script = Script(0.0)
    calls = [
        script.call(name.format(n), 10.0 * n, 10, input='{"a": 1}', output="[1, 2]") for n in range(3000)
    ]
    script.turn("Do it", calls, 30_000)
    client = TestClient(make_app(Reader([replace(calm("s"), turns=tuple(script.turns))])))
    client.get("/sessions/s")
    for tab in ("thread", "turns", "info"):
        began = time.process_time()
        html = client.get(f"/sessions/s?tab={tab}").content
        assert time.process_time() - began < 1
        assert len(html) < 250_000


def test_steps_beyond_two_hundred_are_a_link_away() -> None:
    script = Script(0.0)
    script.turn("Do it", [script.call(f"look {n}", 10.0 * n, 10) for n in range(300)], 3000)
    client = TestClient(make_app(Reader([replace(calm("s"), turns=tuple(script.turns))])))
    html = client.get("/sessions/s?tab=turns").text
    assert html.count("level 2") == 200
    assert '<a href="?tab=turns&amp;rows=all#turn-1">Show 100 more steps</a>' in html
    assert client.get("/sessions/s?tab=turns&rows=all").text.count("level 2") == 300
    assert "100 more steps, see the Turns tab" in client.get("/sessions/s").text
