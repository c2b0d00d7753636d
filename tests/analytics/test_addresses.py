"""Every session in the list can be opened, whatever its id."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import httpx
import pytest

from amplitude_ai_integrations.analytics.app import create_app
from tests.conftest import Serve

IDS = [
    "plain",
    "a/b",
    "tab\tnl\n",
    "with space & <b>",
    "ünïcode-李",
    "quote'\"",
    "?tab=info#x",
    "x/event",
    "%2e%2e",
]


@pytest.mark.parametrize("session_id", IDS)
def test_a_session_opens_from_the_list(session_id: str, serve: Serve, tmp_path: Path) -> None:
    url = serve(create_app(tmp_path / "events.db"))
    event = {
        "event_type": "[Agent] User Message",
        "user_id": "user-1",
        "event_properties": {"[Agent] Session ID": session_id, "$llm_message": {"text": "Where am I?"}},
    }
    posted = httpx.post(f"{url}/2/httpapi", json={"api_key": "local", "events": [event]})
    assert posted.json()["events_ingested"] == 1
    (address,) = set(re.findall(r'href="?(/sessions/[^" >]+)', httpx.get(f"{url}/sessions").text))
    page = httpx.get(url + unescape(address))
    assert page.status_code == 200
    assert "Where am I?" in page.text
