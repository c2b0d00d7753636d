"""What the middleware's options put on events, and which requests they choose."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.schema.names import wire_name

from .conftest import OpenSite
from .hosting import Site
from .reading import AGENT, Expected

PRO = json.dumps({"plan": "pro"}, separators=(",", ":"))


def whole(expected: Expected) -> list[dict[str, Any]]:
    return [*expected.exchange(), *expected.end()]


def plan(connection: Any) -> dict[str, str]:
    return {"plan": connection.query_params.get("plan", "pro")}


async def plan_later(connection: Any) -> dict[str, str]:
    return plan(connection)


class TestAgents:
    def test_facts_of_the_agent_are_on_every_event(self, open_site: OpenSite) -> None:
        facts = {"agent_version": "2.1", "env": "staging", "customer_org_id": "org-7"}
        site = open_site(**facts)
        site.get("/plain-sync")
        assert site.events == whole(Expected().saying(**facts))

    def test_an_agents_handle_lends_all_it_knows(self, open_site: OpenSite, ai: AmplitudeAI) -> None:
        handle = ai.agent(
            "guide", description="Finds trains.", env="dev", locale="de-AT", context={"plan": "pro"}
        )
        site = open_site(agent=handle, agent_id=None)
        site.get("/plain-sync")
        facts = {"agent_description": "Finds trains.", "env": "dev", "locale": "de-AT", "context": PRO}
        assert site.events == whole(Expected().saying(agent_id="guide", **facts))

    def test_an_option_wins_over_the_agents_handle(self, open_site: OpenSite, ai: AmplitudeAI) -> None:
        handle = ai.agent("guide", env="dev", context={"plan": "free"}, groups={"org": "old"})
        site = open_site(
            agent=handle, agent_id=None, env="live", context={"plan": "pro"}, groups={"org": "new"}
        )
        site.get("/plain-sync")
        expected = Expected().saying(agent_id="guide", env="live", context=PRO)
        expected.around["groups"] = {"org": "new"}
        assert site.events == whole(expected)

    @pytest.mark.parametrize("resolver", [plan, plan_later])
    def test_a_function_wins_over_the_agents_handle_as_a_value_does(
        self, open_site: OpenSite, ai: AmplitudeAI, resolver: Any
    ) -> None:
        handle = ai.agent(AGENT, context={"plan": "free"}, groups={"plan": "free"})
        site = open_site(agent=handle, context=resolver, groups=resolver)
        site.get("/plain-sync")
        expected = Expected().saying(context=PRO)
        expected.around["groups"] = {"plan": "pro"}
        assert site.events == whole(expected)

    def test_another_agent_inside_has_the_place_but_not_the_version(self, open_site: OpenSite) -> None:
        site = open_site(agent_version="2.1", env="dev")
        site.get("/two-agents")
        expected = Expected().saying(agent_version="2.1", env="dev")
        question, answered = expected.exchange()
        answered[wire_name("agent_id")] = "specialist"
        del answered[wire_name("agent_version")]
        assert site.events == [question, answered, *expected.end()]


class TestContextAndGroups:
    @pytest.mark.parametrize("value", [{"plan": "pro"}, plan, plan_later])
    @pytest.mark.parametrize("path", ["/plain-sync", "/plain-async", "/background-async"])
    def test_context_is_on_every_event(self, open_site: OpenSite, value: Any, path: str) -> None:
        site = open_site(context=value)
        site.get(path)
        assert site.events == whole(Expected().saying(context=PRO))

    @pytest.mark.parametrize("value", [{"plan": "pro"}, plan, plan_later])
    @pytest.mark.parametrize("path", ["/plain-sync", "/plain-async", "/background-async"])
    def test_groups_are_on_every_event(self, open_site: OpenSite, value: Any, path: str) -> None:
        site = open_site(groups=value)
        site.get(path)
        expected = Expected()
        expected.around["groups"] = {"plan": "pro"}
        assert site.events == whole(expected)

    def test_each_request_has_its_own(self, open_site: OpenSite) -> None:
        site = open_site(context=plan)
        for name in ("free", "pro"):
            site.get("/plain-sync", params={"plan": name})
        contexts = [json.loads(event[wire_name("context")])["plan"] for event in site.events]
        assert contexts == ["free"] * 3 + ["pro"] * 3


class TestPaths:
    def visited(self, site: Site, *paths: str) -> list[int]:
        counts = []
        for path in paths:
            before = len(site.sink.events)
            assert site.get(path).status_code == 200
            counts.append(sum("Session End" in event["event_type"] for event in site.sink.events[before:]))
        return counts

    def test_only_included_paths_are_watched(self, open_site: OpenSite) -> None:
        site = open_site(include=["^/mounted/", "^/plain-sync$"])
        assert self.visited(site, "/mounted/deep", "/plain-sync", "/plain-async", "/router/sync") == [
            1,
            1,
            0,
            0,
        ]

    def test_excluded_paths_are_not_watched(self, open_site: OpenSite) -> None:
        site = open_site(exclude=["^/router", "async"])
        assert self.visited(site, "/router/sync", "/plain-async", "/plain-sync") == [0, 0, 1]

    def test_exclusion_wins(self, open_site: OpenSite) -> None:
        site = open_site(include=["plain"], exclude=["async"])
        assert self.visited(site, "/plain-sync", "/plain-async", "/mounted/deep") == [1, 0, 0]

    def test_a_pattern_is_not_held_against_the_query(self, open_site: OpenSite) -> None:
        site = open_site(exclude=["health"])
        assert self.visited(site, "/plain-sync?text=health") == [1]

    def test_an_agent_on_a_path_that_is_not_watched_speaks_alone(self, open_site: OpenSite) -> None:
        site = open_site(exclude=["."])
        site.get("/plain-sync")
        assert [
            (event["event_type"], wire_name("session_id") in event["event_properties"])
            for event in site.sink.events
        ] == [("[Agent] User Message", False), ("[Agent] AI Response", False)]
