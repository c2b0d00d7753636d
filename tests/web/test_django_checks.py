"""The system checks name what is wrong and what to do; the command tells what became of the events."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MockAmplitudeAI
from amplitude_ai_integrations.delivery.flush import Counts, FlushResult

from .django_site import AUTHENTICATION, OURS, SESSIONS

pytest_plugins = ["tests.web.django_fixtures"]

Override = Callable[..., None]
MOCK = MockAmplitudeAI(AIConfig())
GOOD = {"CLIENT": MOCK}


class OwnLayer:
    """A middleware of the project's own."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response


def checked() -> str:
    """Return what ``manage.py check`` says."""
    said = io.StringIO()
    try:
        call_command("check", stdout=said, stderr=said)
    except SystemCheckError as refused:
        return str(refused)
    return said.getvalue()


def messages(said: str) -> list[str]:
    return re.findall(r"^\?: \(amplitude_ai\.(.*)$", said, re.MULTILINE)


def hints(said: str) -> list[str]:
    return re.findall(r"HINT: (.*)$", said, re.MULTILINE)


class TestSettings:
    def test_good_ones_are_not_spoken_of(self, override: Override) -> None:
        override(AMPLITUDE_AI={**GOOD, "USER_ID_RESOLVER": f"{__name__}.checked", "INCLUDE": ["^/api"]})
        assert checked() == "System check identified no issues (0 silenced).\n"

    @pytest.mark.parametrize(
        ("setting", "message", "hint"),
        [
            (
                {"API_KYE": "k"},
                "E002) AMPLITUDE_AI['API_KYE'] is no setting.",
                "Did you mean 'API_KEY'?",
            ),
            (
                {"user_id_resolver": "x"},
                "E002) AMPLITUDE_AI['user_id_resolver'] is no setting.",
                "Did you mean 'USER_ID_RESOLVER'?",
            ),
            (
                {"USER_ID_RESOLVER": "nowhere.at_all"},
                (
                    "E003) AMPLITUDE_AI['USER_ID_RESOLVER'] is 'nowhere.at_all', which cannot be imported "
                    "(ModuleNotFoundError: No module named 'nowhere')."
                ),
                "Give a function, or the dotted path to one, such as 'app.users.current'.",
            ),
            (
                {"INCLUDE": "^/api"},
                "E003) AMPLITUDE_AI['INCLUDE']: include must be a list of patterns, not one string.",
                None,
            ),
            (
                {"CONTENT_MODE": "some"},
                (
                    "E003) AMPLITUDE_AI['CONTENT_MODE']: content_mode is 'some'; use one of 'full', "
                    "'metadata_only', 'customer_enriched'."
                ),
                None,
            ),
            (
                {**GOOD, "API_KEY": "k"},
                "W006) AMPLITUDE_AI['API_KEY'] has no effect beside AMPLITUDE_AI['CLIENT'].",
                "Say it where that client is made.",
            ),
            ("key", "E001) AMPLITUDE_AI is a str; give a dictionary, such as {'ENV': 'staging'}.", None),
        ],
    )
    def test_a_wrong_one_is_named_with_what_to_do(
        self, override: Override, setting: Any, message: str, hint: str | None
    ) -> None:
        override(AMPLITUDE_AI=setting)
        said = checked()
        assert messages(said) == [message]
        assert hints(said) == ([hint] if hint else [])

    def test_a_wrong_environment_is_named(self, override: Override, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AMPLITUDE_AI_SERVER_URL", "somewhere")
        override(AMPLITUDE_AI=None)
        assert messages(checked()) == [
            "E001) server_url is 'somewhere'; use a URL such as 'http://127.0.0.1:8320'."
        ]


class TestAddress:
    @pytest.mark.parametrize("setting", [None, {}, {"AGENT_ID": "concierge"}])
    def test_in_production_something_has_to_say_where_events_go(
        self, override: Override, setting: Any
    ) -> None:
        override(AMPLITUDE_AI=setting)
        said = checked()
        assert messages(said) == ["W005) Nothing says where events go, so that no agent is recorded."]
        assert hints(said) == [
            (
                "Give AMPLITUDE_AI an 'API_KEY', or set AMPLITUDE_AI_API_KEY; where nothing is to be recorded, "
                "say 'ENABLED': False."
            )
        ]

    @pytest.mark.parametrize(
        ("changed", "environment"),
        [
            ({"DEBUG": True}, {}),
            ({"AMPLITUDE_AI": {"API_KEY": "k"}}, {}),
            ({"AMPLITUDE_AI": {"SERVER_URL": "http://127.0.0.1:8320"}}, {}),
            ({"AMPLITUDE_AI": {"ENABLED": False}}, {}),
            ({"AMPLITUDE_AI": {"DRY_RUN": True}}, {}),
            ({"AMPLITUDE_AI": {"REVIEW_MODE": True}}, {}),
            ({}, {"API_KEY": "k"}),
            ({}, {"SERVER_URL": "http://127.0.0.1:8320"}),
            ({}, {"ENABLED": "false"}),
        ],
    )
    def test_many_things_say_it(
        self, override: Override, monkeypatch: pytest.MonkeyPatch, changed: Any, environment: dict[str, str]
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(f"AMPLITUDE_AI_{name}", value)
        override(**{"AMPLITUDE_AI": None, **changed})
        assert messages(checked()) == []


class TestMiddleware:
    @pytest.mark.parametrize(
        ("layers", "found"),
        [
            (
                [SESSIONS, AUTHENTICATION],
                [
                    "W001) The application is installed without its middleware: agents in requests have no session."
                ],
            ),
            ([OURS, SESSIONS, AUTHENTICATION, OURS], [f"W002) {OURS} is 2 times in MIDDLEWARE."]),
            (
                [f"{__name__}.OwnLayer", OURS, SESSIONS, AUTHENTICATION],
                [f"W003) {__name__}.OwnLayer is above {OURS}: an agent that speaks in it has no session."],
            ),
            ([OURS, SESSIONS, AUTHENTICATION, f"{__name__}.OwnLayer"], []),
            ([SESSIONS, AUTHENTICATION, OURS], []),
            ([OURS], [f"W004) Events have no user, since {SESSIONS} is not in MIDDLEWARE."]),
            ([OURS, SESSIONS], [f"W004) Events have no user, since {AUTHENTICATION} is not in MIDDLEWARE."]),
        ],
    )
    def test_its_place_is_checked(self, override: Override, layers: list[str], found: list[str]) -> None:
        override(AMPLITUDE_AI=GOOD, MIDDLEWARE=layers)
        said = checked()
        assert messages(said) == found
        assert len(hints(said)) == len(found)

    @pytest.mark.parametrize("resolver", [None, f"{__name__}.checked"])
    def test_a_project_may_have_no_users_of_djangos(self, override: Override, resolver: Any) -> None:
        override(AMPLITUDE_AI={**GOOD, "USER_ID_RESOLVER": resolver}, MIDDLEWARE=[OURS])
        assert messages(checked()) == []


def command(*words: str) -> str:
    said = io.StringIO()
    call_command("amplitude_ai", *words, stdout=said, stderr=said)
    return said.getvalue()


class Stuck:
    """A sink whose events stay."""

    def send(self, event: dict[str, Any]) -> None:
        """Keep it."""

    def flush(self) -> FlushResult:
        return FlushResult([Future()], self.counts)

    def close(self) -> None:
        """Nothing is open."""

    def counts(self) -> Counts:
        return Counts(delivered=2, pending=1, dead=0)


class TestCommand:
    def test_flush_says_what_was_delivered(self, override: Override, ai: AmplitudeAI) -> None:
        override(AMPLITUDE_AI={"CLIENT": ai})
        ai.track_user_message("ada", "hello", "s-1")
        assert command("flush") == "1 delivered, 0 pending, 0 dead\n"

    def test_flush_fails_where_an_event_is_lost(self, override: Override) -> None:
        mock = MockAmplitudeAI(AIConfig())
        override(AMPLITUDE_AI={"CLIENT": mock})
        mock.simulate_error("timeout")
        mock.track_user_message("ada", "hello", "s-1")
        with pytest.raises(CommandError) as failed:
            command("flush")
        assert (str(failed.value), failed.value.returncode) == ("0 delivered, 0 pending, 1 dead", 1)

    def test_flush_waits_as_long_as_it_is_told(self, override: Override) -> None:
        override(AMPLITUDE_AI={"CLIENT": AmplitudeAI(sink=Stuck())})
        with pytest.raises(CommandError, match="2 delivered, 1 pending, 0 dead"):
            command("flush", "--timeout", "0.05")

    def test_status_shows_the_client_of_the_settings(self, override: Override, ai: AmplitudeAI) -> None:
        override(AMPLITUDE_AI={"CLIENT": ai})
        ai.track_user_message("ada", "hello", "s-1")
        said = command("status")
        assert "delivered 1, pending 0, dead 0" in said
        assert said.endswith("\n")

    def test_the_doctor_reports_the_checks_too(self, override: Override) -> None:
        override(AMPLITUDE_AI={"API_KYE": "k"})
        said = io.StringIO()
        with pytest.raises(CommandError):
            call_command("amplitude_ai", "doctor", stdout=said)
        assert "AMPLITUDE_AI['API_KYE'] is no setting. (amplitude_ai.E002)" in said.getvalue()
        assert "Did you mean 'API_KEY'?" in said.getvalue()

    @pytest.mark.parametrize("action", ["status", "flush"])
    def test_wrong_settings_are_said_in_a_sentence(self, override: Override, action: str) -> None:
        override(AMPLITUDE_AI={"API_KYE": "k"})
        with pytest.raises(CommandError, match="Did you mean 'API_KEY'"):
            command(action)

    def test_an_action_is_asked_for(self) -> None:
        with pytest.raises(CommandError, match="action"):
            command()
