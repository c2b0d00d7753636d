"""Prices that change while the program runs."""

from __future__ import annotations

import logging
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from genai_prices import wait_prices_updated_sync
from genai_prices.data_snapshot import get_snapshot, set_custom_snapshot
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from amplitude_ai_integrations.exceptions import ConfigurationError
from amplitude_ai_integrations.pricing import calculate_cost, enable_live_price_updates, live

NOWHERE = "http://127.0.0.1:9"  # the discard port, where nothing listens


@pytest.fixture(autouse=True)
def _prices_of_the_package() -> Iterator[None]:
    yield
    live._live.stop()
    eventually(lambda: not updaters())
    set_custom_snapshot(None)


class PriceList:
    """Serves a price list of one model, whose price rises with each download."""

    def __init__(self) -> None:
        self.downloads = 0
        self.app = Starlette(routes=[Route("/", self.answer)])

    async def answer(self, _: Request) -> JSONResponse:
        self.downloads += 1
        prices = {"input_mtok": self.downloads, "output_mtok": 0}
        model = {"id": "gpt-4o", "match": {"equals": "gpt-4o"}, "prices": prices}
        return JSONResponse([{"id": "openai", "name": "OpenAI", "api_pattern": "x", "models": [model]}])


def test_new_prices_count_from_the_next_call_on(serve: Any) -> None:
    assert calculate_cost("gpt-4o", 1_000_000, 0) == 2.5
    updates = enable_live_price_updates(0.05, url=serve(PriceList().app))
    eventually(lambda: calculate_cost("gpt-4o", 1_000_000, 0) != 2.5)
    now = calculate_cost("gpt-4o", 1_000_000, 0)
    assert now is not None
    eventually(lambda: calculate_cost("gpt-4o", 1_000_000, 0) in {now + 1, now + 2, now + 3})
    assert calculate_cost("claude-sonnet-4", 1, 1) is None, "the new list does not have it"
    updates.stop()


def test_a_second_call_starts_nothing_and_stop_ends_it(serve: Any) -> None:
    prices = PriceList()
    url = serve(prices.app)
    first = enable_live_price_updates(3_600, url=url)
    assert enable_live_price_updates(0.01) is first
    assert wait_prices_updated_sync(10)
    assert len(updaters()) == 1
    assert prices.downloads == 1
    first.stop()
    first.stop()
    eventually(lambda: not updaters())
    enable_live_price_updates(3_600, url=url)
    eventually(lambda: prices.downloads == 2)


def test_without_a_network_the_prices_at_hand_stay(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    updates = enable_live_price_updates(url=NOWHERE)
    with pytest.raises(Exception, match=r"(?i)connect|refused"):
        wait_prices_updated_sync(10)
    assert calculate_cost("gpt-4o", 120, 340) == 0.0037
    updates.stop()


def test_another_list_of_the_program_counts_too() -> None:
    ours = get_snapshot()
    assert calculate_cost("gpt-4o", 120, 340) == 0.0037
    set_custom_snapshot(type(ours)(providers=[], from_auto_update=False))
    assert calculate_cost("gpt-4o", 120, 340) is None
    set_custom_snapshot(None)
    assert calculate_cost("gpt-4o", 120, 340) == 0.0037


@pytest.mark.parametrize("interval", [0, -1, math.nan, math.inf, 1e12, True, "60", None], ids=repr)
def test_an_interval_must_be_a_positive_number_of_seconds(interval: Any) -> None:
    with pytest.raises(ConfigurationError, match="update_interval"):
        enable_live_price_updates(interval)
    assert not updaters()


def test_the_price_list_is_loaded_with_the_first_price_only() -> None:
    program = (
        "import sys\n"
        "from amplitude_ai_integrations.pricing import calculate_cost, infer_provider\n"
        "infer_provider('openai/gpt-4o')\n"
        "assert 'genai_prices' not in sys.modules\n"
        "assert calculate_cost('gpt-4o', 120, 340) == 0.0037\n"
        "assert 'genai_prices' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def updaters() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "genai_prices:update"]


def eventually(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)
