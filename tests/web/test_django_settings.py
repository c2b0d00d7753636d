"""`AMPLITUDE_AI` is the one setting: by the names of the package, at the first request, as it is now."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.test import AsyncClient, Client

from amplitude_ai_integrations import AIConfig, AmplitudeAI, ConfigurationError, MemorySink, MockAmplitudeAI
from amplitude_ai_integrations.context import get_active_context
from amplitude_ai_integrations.django import conf, get_client

from .django_site import OURS
from .reading import AGENT, Expected, told

pytest_plugins = ["tests.web.django_fixtures"]

Override = Callable[..., None]
MOCK = MockAmplitudeAI(AIConfig())


class TestClient:
    def test_a_client_may_be_named_by_its_path(self, override: Override) -> None:
        MOCK.reset()
        override(AMPLITUDE_AI={"CLIENT": f"{__name__}.MOCK", "AGENT_ID": AGENT})
        Client().get("/plain-sync")
        expected = Expected()
        assert told(MOCK.events) == [*expected.exchange(), *expected.end()]

    def test_the_next_request_sees_a_change_and_its_end(self, override: Override) -> None:
        outer, inner = MockAmplitudeAI(AIConfig()), MockAmplitudeAI(AIConfig())
        visitor = Client()
        override(AMPLITUDE_AI={"CLIENT": outer})
        visitor.get("/plain-sync")
        from django.test import override_settings

        with override_settings(AMPLITUDE_AI={"CLIENT": inner}):
            visitor.get("/plain-sync")
            with override_settings(AMPLITUDE_AI=None):
                visitor.get("/plain-sync")
            visitor.get("/plain-sync")
        visitor.get("/plain-sync")
        assert (len(outer.events), len(inner.events)) == (6, 6)

    def test_the_projects_own_code_has_the_client_that_the_settings_name(
        self, override: Override, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        kept = get_client()
        override(AMPLITUDE_AI={"CLIENT": ai})
        assert isinstance(kept, AmplitudeAI)
        assert (kept.config, kept.recorder) == (ai.config, ai.recorder)
        with kept.agent("nightly").session("night-1"):
            kept.track_user_message(content="hello")
        assert {event["event_properties"]["[Agent] Session ID"] for event in sink.events} == {"night-1"}
        assert kept.flush().delivered == 2

    def test_a_client_is_made_of_the_settings_at_the_first_use_and_once(self, override: Override) -> None:
        override(AMPLITUDE_AI={"API_KEY": "k", "DRY_RUN": True, "CONTENT_MODE": "metadata_only"})
        found: list[Any] = []
        asking = [threading.Thread(target=lambda: found.append(conf.door().ai)) for _ in range(8)]
        assert conf._doors.open is None
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        assert len({id(one) for one in found}) == 1
        assert get_client().config.content_mode.value == "metadata_only"

    @pytest.mark.filterwarnings("ignore:This process")  # has threads, says Python, and it should
    def test_a_client_of_ours_is_made_anew_in_a_forked_process(self, override: Override) -> None:
        override(AMPLITUDE_AI={"DRY_RUN": True})
        parents = conf.door().ai
        child = os.fork()
        if child == 0:
            os._exit(0 if conf.door().ai is not parents else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert conf.door().ai is parents


class TestNowhere:
    @pytest.mark.parametrize("setting", [None, {}, {"AGENT_ID": AGENT}])
    def test_without_a_key_the_app_goes_on_and_the_log_says_it_once(
        self, override: Override, caplog: pytest.LogCaptureFixture, setting: Any
    ) -> None:
        conf._say_once.cache_clear()
        override(AMPLITUDE_AI=setting)
        for _ in range(2):
            assert Client().get("/plain-sync").content == b"done"
        ours = [record for record in caplog.records if record.name == "amplitude_ai_integrations"]
        assert [(record.levelname, record.getMessage()) for record in ours] == [
            (
                "WARNING",
                (
                    "AmplitudeAI needs somewhere to send events: pass amplitude= or api_key=, set "
                    "AMPLITUDE_AI_API_KEY, or set AMPLITUDE_AI_SERVER_URL to a local `amplitude-ai analytics`. "
                    "In Django: AMPLITUDE_AI = {'API_KEY': ...}. Until then agents are not recorded."
                ),
            )
        ]

    @pytest.mark.parametrize(
        ("setting", "sentence"),
        [
            (
                {"API_KEYS": "k"},
                "AMPLITUDE_AI['API_KEYS'] is no setting. Did you mean 'API_KEY'?",
            ),
            (["API_KEY"], "AMPLITUDE_AI is a list; give a dictionary, such as {'ENV': 'staging'}."),
        ],
    )
    def test_a_wrong_setting_is_said_when_the_server_starts(
        self, override: Override, setting: Any, sentence: str
    ) -> None:
        override(AMPLITUDE_AI=setting)
        with pytest.raises(ConfigurationError) as refused:
            Client().get("/silent-sync")
        assert str(refused.value) == sentence


class TestTestClients:
    def test_djangos_test_client_leaves_nothing_behind(
        self, override: Override, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        override(AMPLITUDE_AI={"CLIENT": ai, "AGENT_ID": AGENT})
        response = Client().get("/streamed-sync")
        assert b"".join(response.streaming_content) == b"one two"
        assert get_active_context() is None
        expected = Expected()
        assert told(sink.events) == [*expected.exchange(), *expected.end()]

    async def test_neither_does_the_asynchronous_one(
        self, override: Override, ai: AmplitudeAI, sink: MemorySink
    ) -> None:
        override(AMPLITUDE_AI={"CLIENT": ai, "AGENT_ID": AGENT})
        response = await AsyncClient().get("/streamed-async")
        assert [piece async for piece in response.streaming_content] == [b"one ", b"two"]
        response = await AsyncClient().get("/plain-sync")
        assert response.content == b"done"
        assert get_active_context() is None
        one, two = Expected("session 1"), Expected("session 2", trace=1, message=2)
        assert told(sink.events) == [*one.exchange(), *one.end(), *two.exchange(), *two.end()]

    def test_the_clients_own_error_is_the_tests(self, override: Override, ai: AmplitudeAI) -> None:
        override(AMPLITUDE_AI={"CLIENT": ai})
        with pytest.raises(LookupError, match="before"):
            Client().get("/raising-sync")

    @pytest.mark.parametrize(("include", "count"), [(["^/plain"], 3), (["^/api"], 1)])
    def test_paths_can_be_chosen(
        self, override: Override, ai: AmplitudeAI, sink: MemorySink, include: list[str], count: int
    ) -> None:
        override(AMPLITUDE_AI={"CLIENT": ai, "INCLUDE": include}, MIDDLEWARE=[OURS])
        Client().get("/plain-sync")
        assert len(sink.events) == count


def test_importing_the_door_needs_no_settings_and_loads_no_vendor() -> None:
    program = (
        "import sys, amplitude_ai_integrations.django as door\n"
        "from django.apps import AppConfig\n"
        "config = AppConfig.create('amplitude_ai_integrations.django')\n"
        "assert (config.label, config.verbose_name) == ('amplitude_ai', 'Amplitude AI'), config\n"
        "assert dir(door) == ['AmplitudeAIChannelsMiddleware', 'AmplitudeAIMiddleware', 'get_client']\n"
        "from amplitude_ai_integrations.django import get_client\n"
        "assert get_client() is get_client()\n"
        "assert not {'amplitude', 'openai', 'channels', 'django.contrib.auth.models'} & {*sys.modules}\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=30)
