"""Headless Chromium and a store for it to look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright import sync_api

from tests.pages.app import make_app, served
from tests.pages.sample import Reader, many

from .watching import Site

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def site() -> Iterator[Site]:
    reader = Reader(many())
    app = make_app(reader)
    with served(app) as address:
        yield Site(address, app, reader)


@pytest.fixture
def empty_site() -> Iterator[Site]:
    reader = Reader([], events=0)
    app = make_app(reader)
    with served(app) as address:
        yield Site(address, app, reader)


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    yield context.new_page()
    context.close()
