"""Small things that readers stumbled over, in headless Chromium."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from playwright import sync_api

from tests.pages.sample import NOW, Script, calm, funnel

from .watching import Site, connected

LONG = "Why does my funnel show nothing at all since the release of last Tuesday " * 3


def test_escape_returns_to_the_link_of_the_row(page: Any, site: Site) -> None:
    page.goto(site.address + "/sessions")
    page.click("text=I was charged twice")
    sync_api.expect(page.locator("h1")).to_contain_text("I was charged twice")
    connected(page)
    page.keyboard.press("Escape")
    sync_api.expect(page).to_have_url(f"{site.address}/sessions")
    sync_api.expect(page.locator("tr", has_text="I was charged twice").locator("th a")).to_be_focused()
    page.goto(site.address + "/sessions")
    sync_api.expect(page.locator("body")).to_be_focused()


def test_e_finds_an_error_inside_a_call(page: Any, site: Site) -> None:
    script = Script(0.0, "bot")
    inner = script.call("embed", 1.0, 5, is_error=True, error_message="no such index")
    script.turn("Hi", [replace(script.call("search", 0.0, 10), children=(inner,))], 10)
    turn = replace(script.turns[0], errors=1)
    site.change(replace(calm("sess-deep"), turns=(turn,)))
    page.goto(site.address + "/sessions/sess-deep")
    connected(page)
    page.keyboard.press("e")
    sync_api.expect(page.locator(":focus")).to_contain_text("no such index")


def test_totals_of_an_open_list_follow(page: Any, site: Site) -> None:
    page.goto(site.address + "/sessions")
    connected(page)
    site.change(calm("sess-new", last_ms=NOW + 2000), is_new=True)
    sync_api.expect(page.locator("#sums")).to_have_text("70 sessions · 691 events")
    sync_api.expect(page.locator("nav.pages")).to_contain_text("of 70")


def test_a_closing_time_disappears_when_it_has_passed(page: Any, site: Site) -> None:
    quiet = calm("sess-quiet", state="live", last_ms=int(time.time() * 1000) - 30 * 60_000 + 3000)
    site.change(quiet)
    page.clock.install()
    page.goto(site.address + "/sessions/sess-quiet")
    sync_api.expect(page.locator("#closing")).to_have_text(
        re.compile(r"No event for 29\s+min, closes at \d\d:\d\d$")
    )
    page.clock.run_for(60_000)
    closing = page.locator("#closing")
    sync_api.expect(closing).to_have_text(re.compile(r"^No event for 29\s+min$"), use_inner_text=True)


@pytest.mark.parametrize("width", [1440, 820, 390, 320])
def test_a_long_title_takes_two_lines(page: Any, site: Site, width: int) -> None:
    site.change(calm("sess-long", title=LONG.strip()[:200], last_ms=NOW + 2000))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(site.address + "/sessions")
    link = page.locator("tr", has_text="Why does my funnel show nothing").locator("th a")
    assert link.bounding_box()["height"] <= 41
    link.click()
    assert page.locator("h1").bounding_box()["height"] <= 54.5


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_keeps_bar_ribbon_and_foot_in_line(page: Any, site: Site, width: int) -> None:
    session = calm(
        "sess-wide",
        tokens=961_400,
        cost_usd=0.4127,
        is_estimated=True,
        slowest_ms=754_000,
        last_ms=NOW - 60_000,
    )
    site.change(session)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(site.address + "/sessions/sess-wide")
    back = page.locator(".bar > a").first
    assert (
        back.evaluate(
            "el => { const r = document.createRange(); r.selectNodeContents(el.lastChild); return r.getClientRects().length }"
        )
        == 1
    )
    tops = page.locator(".ribbon > div:visible").evaluate_all(
        "all => all.map(el => el.getBoundingClientRect().top)"
    )
    assert len(tops) == 4
    assert len(set(tops)) in ((1,) if width == 390 else (1, 2))
    assert {tops.count(top) for top in tops} in ({4}, {2})
    buttons = page.locator(".actions .button:visible").evaluate_all(
        "all => all.map(el => { const r = el.getBoundingClientRect(); return [r.top, r.height] })"
    )
    assert buttons[0] == buttons[1]


def test_chips_stay_in_the_line_of_their_name(page: Any, site: Site) -> None:
    script = Script(0.0, "bot")
    script.turn("Hi", [script.model(0.0, 10, text="Yes", agent="a\u202eb")], 10)
    site.change(replace(calm("sess-chips"), turns=tuple(script.turns)))
    page.goto(site.address + "/sessions/sess-chips")
    assert page.locator(".said:not(.user) .who b").bounding_box()["height"] <= 24


def test_a_short_call_is_seen(page: Any, site: Site) -> None:
    script = Script(0.0)
    script.turn("Hi", [script.call("look", 0.0, 1), script.call("wait", 0.0, 10_000)], 10_000)
    site.change(replace(calm("sess-short"), turns=tuple(script.turns)))
    page.goto(site.address + "/sessions/sess-short?tab=turns")
    widths = (
        page.locator("tr", has_text="look")
        .locator("rect")
        .evaluate_all("all => all.map(el => el.getBBox().width)")
    )
    assert max(widths) == 2


def test_labels_of_a_long_strip_stand_apart(page: Any, site: Site) -> None:
    turns = tuple(replace(funnel().turns[n % 6], number=n + 1) for n in range(60))
    site.change(replace(calm("sess-sixty"), turns=turns))
    for width in (1440, 1000, 730):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(site.address + "/sessions/sess-sixty")
        boxes = page.locator(".strip text").evaluate_all(
            "all => all.map(el => el.getBoundingClientRect()).map(r => [r.left, r.right]).sort((a, b) => a[0] - b[0])"
        )
        assert len(boxes) >= 8
        assert all(one[1] <= other[0] for one, other in pairwise(boxes))


@pytest.mark.parametrize("address", ["/sessions", "/sessions/sess-least?tab=turns"])
def test_the_longest_cost_has_its_room(page: Any, site: Site, address: str) -> None:
    script = Script(0.0)
    script.turn("Hi", [script.model(0.0, 10, cost_usd=0.00001, output_tokens=961_400, is_estimated=True)], 10)
    turn = replace(script.turns[0], cost_usd=0.00001)
    least = calm("sess-least", cost_usd=0.00001, tokens=961_400, is_estimated=True, last_ms=NOW + 2000)
    site.change(replace(least, turns=(turn,)))
    page.goto(site.address + address)
    cells = page.locator("td, .card .t").filter(has_text="≈")
    assert cells.count() >= 2
    assert cells.evaluate_all("all => all.filter(el => el.scrollWidth > el.clientWidth).length") == 0
