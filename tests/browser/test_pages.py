"""The pages in headless Chromium: looks hold, live updates arrive, keys work, nothing leaves the machine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright import sync_api

from tests.pages.app import make_app, served
from tests.pages.sample import NOW, Reader, calm, funnel, grown, many

from .watching import Site, connected, watched

FUNNEL = "/sessions/sess-a3f8c2e1-77d0"
PAGES = {
    "list": "/sessions",
    "thread": FUNNEL,
    "info": f"{FUNNEL}?tab=info",
    "turns": f"{FUNNEL}?tab=turns&step=step-19",
    "events": f"{FUNNEL}/events",
    "missing": "/sessions/nothing",
    "hostile": "/sessions/..%2Fevil%2F%3Cb%3E%E2%80%AE",
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 820, 390, 320])
def test_pages_fit_and_stay_quiet(
    chromium: Any, site: Site, empty_site: Site, width: int, theme: str
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    found = {}
    addresses = {name: site.address + path for name, path in PAGES.items()}
    for name, address in {**addresses, "guide": f"{empty_site.address}/sessions"}.items():
        page = context.new_page()
        faults = watched(page)
        page.goto(address)
        page.wait_for_timeout(60)
        overhang = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found[name] = (max(overhang, 0), [fault for fault in faults if "404" not in fault])
        page.close()
    context.close()
    assert found == dict.fromkeys([*PAGES, "guide"], (0, []))


def test_first_view_takes_six_requests_at_most(page: Any, site: Site) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(site.address).partition("?")[0]))
    page.goto(site.address + "/sessions")
    connected(page)
    static = {path for path in asked if path not in ("/live", "/static/icon.svg")}
    assert static == {
        "/sessions", "/static/app.css", "/static/htmx.min.js", "/static/hx-sse.min.js",
        "/static/app.js", "/static/sprite.svg",
    }  # fmt: skip


def test_an_open_list_changes_its_rows_in_place_and_announces_new_sessions(page: Any, site: Site) -> None:
    faults = watched(page)
    page.goto(site.address + "/sessions")
    connected(page)
    before = page.locator(".sessions tbody tr").evaluate_all("rows => rows.map(row => row.id)")
    page.evaluate("window.stayed = true")
    old = site.reader.details["sess-001000"]
    site.change(replace(old, row=replace(old.row, turns=9, last_ms=NOW + 1000)))
    row = page.locator("tr", has_text="Question 16:")
    sync_api.expect(row.locator("td").nth(2)).to_have_text("9 turns")
    site.change(calm("sess-new", title="A new one", last_ms=NOW + 2000), is_new=True)
    sync_api.expect(page.locator("#new")).to_have_text("1 new, show")
    sync_api.expect(page.locator("#count")).to_have_text("70")
    after = page.locator(".sessions tbody tr").evaluate_all("rows => rows.map(row => row.id)")
    assert (after, page.evaluate("window.stayed"), faults) == (before, True, [])
    page.click("#new a")
    sync_api.expect(page.locator(".sessions tbody tr").first).to_contain_text("A new one")


def test_an_open_thread_grows_at_its_end_and_keeps_what_the_reader_opened(page: Any, site: Site) -> None:
    faults = watched(page)
    page.goto(site.address + FUNNEL)
    connected(page)
    page.locator("#turn-1 details.act > summary").first.click()
    top = page.locator("#turn-2").bounding_box()["y"]
    once = grown(funnel())
    site.change(once)
    sync_api.expect(page.locator("#turn-7")).to_contain_text("One more answer.")
    sync_api.expect(page.locator(".ribbon dd").first).to_have_text("7")
    sync_api.expect(page.locator("#more")).to_have_text("1 new turn")
    edited = replace(once.turns[-1], user=replace(once.turns[-1].user, text="And one last question"))
    site.change(replace(once, turns=(*once.turns[:-1], edited)))
    sync_api.expect(page.locator("#turn-7")).to_contain_text("And one last question")
    assert page.locator(".turn").count() == 7
    assert page.locator("#turn-1 details.act").first.evaluate("el => el.open")
    assert (page.locator("#turn-2").bounding_box()["y"], faults) == (top, [])


def test_events_between_the_page_and_its_stream_are_not_lost(page: Any, site: Site) -> None:
    page.route("**/live?*", lambda route: (site.reader.put(grown(funnel())), route.continue_()))
    page.goto(site.address + FUNNEL)
    sync_api.expect(page.locator("#turn-7")).to_contain_text("One more answer.")
    assert page.locator(".turn").count() == 7


def test_a_restarted_server_is_found_again_and_what_was_missed_is_shown(page: Any) -> None:
    reader = Reader(many())
    with served(make_app(reader)) as address:
        page.goto(address + FUNNEL)
        connected(page)
    reader.put(grown(funnel()))
    with served(make_app(reader), int(address.rpartition(":")[2])):
        sync_api.expect(page.locator("#turn-7")).to_contain_text("One more answer.", timeout=15_000)
    assert page.locator(".turn").count() == 7


def test_open_turns_are_replaced_one_by_one(page: Any, site: Site) -> None:
    page.goto(site.address + f"{FUNNEL}?tab=turns")
    connected(page)
    page.locator("#turn-1 > summary").click()
    site.change(grown(funnel()))
    sync_api.expect(page.locator("#turn-7")).to_contain_text("And one more question")
    assert page.locator("#turn-1").evaluate("el => el.open")


def test_the_guide_sees_the_first_event(page: Any, empty_site: Site) -> None:
    page.goto(empty_site.address + "/sessions")
    connected(page)
    sync_api.expect(page.locator("#listening")).to_contain_text("0 events received.")
    empty_site.change(calm("sess-first"), is_new=True)
    page.click("text=Open the session")
    sync_api.expect(page).to_have_url(f"{empty_site.address}/sessions/sess-first")


def test_keys_walk_the_list_open_a_session_and_come_back(page: Any, site: Site) -> None:
    page.goto(site.address + "/sessions")
    for key in ("j", "j", "k", "j"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("h1")).to_have_text(
        "I was charged twice for the March invoice, can you refund the second one?"
    )
    page.keyboard.press("3")
    sync_api.expect(page.locator("#tab-turns")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("[")
    sync_api.expect(page.locator("h1")).to_have_text("Why does my funnel show 0 conversions since Tuesday?")
    page.keyboard.press("Escape")
    sync_api.expect(page).to_have_url(f"{site.address}/sessions")
    sync_api.expect(page.locator("tr[data-current]")).to_contain_text("I was charged twice")


def test_keys_of_a_session(page: Any, site: Site) -> None:
    page.goto(site.address + FUNNEL)
    connected(page)
    page.keyboard.press("e")
    assert "TimeoutError" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("?")
    sync_api.expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    sync_api.expect(page.locator("#live-state")).to_have_text("Live is off")
    page.keyboard.press("l")
    connected(page)
    page.keyboard.press("3")
    sync_api.expect(page.locator("#tab-turns")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("t")
    sync_api.expect(page.locator("[data-scale]")).to_have_text("All turns on one scale")


def test_tabs_move_by_arrows_and_open_by_enter(page: Any, site: Site) -> None:
    page.goto(site.address + FUNNEL)
    page.locator("#tab-thread").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    sync_api.expect(page).to_have_url(f"{site.address}{FUNNEL}?tab=info")
    sync_api.expect(page.locator("#panel")).to_be_focused()


def test_a_step_opens_in_place_and_its_address_opens_it_again(page: Any, site: Site) -> None:
    page.goto(site.address + f"{FUNNEL}?tab=turns")
    page.evaluate("window.stayed = true")
    page.click("tr.failed a")
    sync_api.expect(page.locator("#inspector")).to_contain_text("no answer from log-store after 10 s")
    assert page.evaluate("window.stayed")
    page.reload()
    sync_api.expect(page.locator("#inspector")).to_contain_text("no answer from log-store after 10 s")
    page.keyboard.press("Escape")
    sync_api.expect(page.locator("#inspector")).to_be_empty()


def test_everything_reads_without_a_script(chromium: Any, site: Site) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.address + "/sessions")
    page.click("text=Older")
    page.click("text=Newer")
    page.click("text=Why does my funnel")
    sync_api.expect(page.locator("#turn-4")).to_contain_text("TimeoutError")
    page.click("#tab-turns")
    page.click("tr.failed a")
    sync_api.expect(page.locator("#inspector")).to_contain_text("no answer from log-store")
    assert page.locator("[data-copy]:visible, #live-state:visible").count() == 0
    context.close()


def test_a_chosen_theme_is_kept(page: Any, site: Site) -> None:
    page.goto(site.address + "/sessions")
    page.click("text=Dark")
    sync_api.expect(page).to_have_url(f"{site.address}/sessions")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(24, 26, 30)"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(chromium: Any, site: Site, empty_site: Site, width: int, theme: str) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, bypass_csp=True, reduced_motion="reduce"
    )
    found = {}
    addresses = {name: site.address + path for name, path in PAGES.items()}
    for name, address in {**addresses, "guide": f"{empty_site.address}/sessions"}.items():
        page = context.new_page()
        page.goto(address)
        found[name] = [
            f"{fault['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
            for fault in Axe().run(page).response["violations"]
            for node in fault["nodes"][:3]
        ]
        page.close()
    context.close()
    assert found == {name: [] for name in found}
