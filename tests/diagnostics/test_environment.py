"""What the environment says is judged variable by variable; no secret of it is told."""

from __future__ import annotations

import pytest

from amplitude_ai_integrations import AIConfig, AmplitudeAI, MemorySink
from amplitude_ai_integrations.diagnostics import Finding, examine, status_text
from amplitude_ai_integrations.diagnostics.environment import _NEUTRAL

from .conftest import KEY, Project


def told(**changed: object) -> list[Finding]:
    return [one for one in examine(live=False, **changed) if one.topic == "environment"][1:]  # type: ignore[arg-type]


def states() -> list[tuple[str, str]]:
    return [(one.state, one.words) for one in told()]


def test_nothing_set_is_a_problem_with_both_ways_out() -> None:
    (found,) = told()
    assert (found.state, found.words) == (
        "problem",
        "Neither AMPLITUDE_AI_API_KEY nor AMPLITUDE_AI_SERVER_URL is set.",
    )
    assert "export AMPLITUDE_AI_API_KEY=<" in found.fix
    assert "export AMPLITUDE_AI_SERVER_URL=http://127.0.0.1:8320" in found.fix


@pytest.mark.parametrize(
    ("variables", "state", "words"),
    [
        ({"API_KEY": KEY}, "ok", "Events go to Amplitude (US), to the project with the key ...1234."),
        ({"API_KEY": KEY.upper(), "SERVER_ZONE": "eu"}, "ok", "Events go to Amplitude (EU), to the project with the key ...1234."),
        ({"SERVER_URL": "http://127.0.0.1:8320"}, "ok", "Events go to http://127.0.0.1:8320."),
        ({"SERVER_URL": "https://me:pw@host/x?token=1", "API_KEY": KEY}, "ok", "Events go to https://...@host/x?..., with the key ...1234."),
        ({"API_KEY": "my-key"}, "warning", "AMPLITUDE_AI_API_KEY does not look like a project's API key, which is 32 digits and letters from a to f."),
        ({"API_KEY": KEY + "0"}, "warning", "AMPLITUDE_AI_API_KEY does not look like a project's API key, which is 32 digits and letters from a to f."),
        ({"API_KEY": f'"{KEY}"'}, "problem", "AMPLITUDE_AI_API_KEY has quotes or spaces around the key; Amplitude will refuse it."),
        ({"API_KEY": f"{KEY} "}, "problem", "AMPLITUDE_AI_API_KEY has quotes or spaces around the key; Amplitude will refuse it."),
    ],
)  # fmt: skip
def test_where_events_go(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], state: str, words: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"AMPLITUDE_AI_{name}", value)
    assert states() == [(state, words)]


def test_the_key_under_the_other_name_is_told_with_the_line_that_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AMPLITUDE_API_KEY", KEY)
    (found,) = told()
    assert (found.state, found.fix) == ("problem", 'export AMPLITUDE_AI_API_KEY="$AMPLITUDE_API_KEY"')
    monkeypatch.setenv("AMPLITUDE_AI_API_KEY", KEY)
    assert [one.state for one in told()] == ["ok"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AMPLITUDE_TRACKING_DISABLED", "true", "Tracking is switched off: nothing is recorded."),
        ("AMPLITUDE_AI_ENABLED", "off", "Tracking is switched off: nothing is recorded."),
        ("AMPLITUDE_AI_DRY_RUN", "1", "Dry run is on: events are printed, none is sent."),
        ("AMPLITUDE_AI_REVIEW", "yes", "Review mode is on: events stay in memory, none is sent."),
        ("AMPLITUDE_AI_SESSION_SAMPLE_RATE", "0", "The sample rate is 0: no session is kept."),
    ],
)
def test_what_keeps_events_back_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_API_KEY", KEY)
    monkeypatch.setenv(name, value)
    found = told()
    assert (found[0].state, found[0].words) == ("warning", words)
    assert found[0].fix == f"If that is not meant: unset {name}"
    assert [one.state for one in found[1:]] == ["ok"]
    monkeypatch.delenv("AMPLITUDE_AI_API_KEY")
    kept_back = not name.endswith("RATE")
    assert [one.state for one in told()[1:]] == ["ok" if kept_back else "problem"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CONTENT_MODE", "everything", "AMPLITUDE_AI_CONTENT_MODE: content_mode is 'everything'; use one of 'full', 'metadata_only', 'customer_enriched'."),
        ("DEBUG", "maybe", "AMPLITUDE_AI_DEBUG is 'maybe'; use 'true' or 'false'."),
        ("SERVER_URL", "localhost", "AMPLITUDE_AI_SERVER_URL: server_url is 'localhost'; use a URL such as 'http://127.0.0.1:8320'."),
        ("SERVER_ZONE", "mars", "AMPLITUDE_AI_SERVER_ZONE: server_zone is 'MARS'; use 'US' or 'EU'."),
        ("SESSION_SAMPLE_RATE", "2", "AMPLITUDE_AI_SESSION_SAMPLE_RATE: session_sample_rate is 2.0; use a number from 0 to 1."),
        ("SESSION_SAMPLE_RATE", "half", "AMPLITUDE_AI_SESSION_SAMPLE_RATE is 'half'; use a number from 0 to 1."),
        ("SERVER_URL", "ftp://me:secret@host", "AMPLITUDE_AI_SERVER_URL: server_url is 'ftp://...@host'; use a URL such as 'http://127.0.0.1:8320'."),
        ("CONTENT_MODE", KEY, "AMPLITUDE_AI_CONTENT_MODE: content_mode is '...1234'; use one of 'full', 'metadata_only', 'customer_enriched'."),
    ],
)  # fmt: skip
def test_a_refused_value_is_told_in_its_own_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_API_KEY", KEY)
    monkeypatch.setenv(f"AMPLITUDE_AI_{name}", value)
    assert states() == [("problem", words)]
    assert "refused" in status_text()


def test_a_key_of_any_shape_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_API_KEY", "no-hex-but-secret-1234")
    monkeypatch.setenv("AMPLITUDE_AI_CONTENT_MODE", "no-hex-but-secret-1234")
    assert "content_mode is '...1234'" in told()[0].words


def test_every_refused_value_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_DEBUG", "maybe")
    monkeypatch.setenv("AMPLITUDE_TRACKING_DISABLED", "perhaps")
    monkeypatch.setenv("AMPLITUDE_AI_SERVER_ZONE", "mars")
    assert len(told()) == 3


def test_each_setting_of_the_environment_can_be_tried_by_itself() -> None:
    assert AIConfig(**_NEUTRAL).server_zone == "US"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("AMPLITUDE_AI_CONTNET_MODE", "AMPLITUDE_AI_CONTENT_MODE"),
        ("AMPLITUDE_AI_KEY", "AMPLITUDE_AI_API_KEY"),
        ("AMPLITUDEAI_API_KEY", "AMPLITUDE_AI_API_KEY"),
        ("AMPLITUDE_SERVER_URL", "AMPLITUDE_AI_SERVER_URL"),
        ("AMPLITUDE_AI_TRACKING_DISABLED", "AMPLITUDE_TRACKING_DISABLED"),
        ("AMPLITUDE_AI_SAMPLE_RATE", "AMPLITUDE_AI_SESSION_SAMPLE_RATE"),
    ],
)
def test_a_misspelled_variable_is_a_warning(monkeypatch: pytest.MonkeyPatch, name: str, meant: str) -> None:
    monkeypatch.setenv(name, "a secret")
    found = told()[-1]
    assert (found.state, found.words, found.fix) == (
        "warning",
        f"{name} is no setting.",
        f"Did you mean {meant}?",
    )


def test_an_unknown_variable_that_is_near_to_nothing_is_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_FAVOURITE_TREE", "oak")
    monkeypatch.setenv("AMPLITUDE_ORG_ID", "not ours at all")
    assert [(one.state, one.words) for one in told()[1:]] == [
        ("hint", "AMPLITUDE_AI_FAVOURITE_TREE is no setting; nothing here reads it.")
    ]


def test_a_variable_that_the_project_reads_itself_is_in_order(
    monkeypatch: pytest.MonkeyPatch, project: Project
) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_FAVOURITE_TREE", "oak")
    folder = project(app="import os\ntree = os.environ['AMPLITUDE_AI_FAVOURITE_TREE']\n")
    assert [one.state for one in told(project=folder)] == ["problem"]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("AmplitudeAI(api_key=secrets['key'])", "ok"),
        ("AmplitudeAI(Amplitude('k'))", "ok"),
        ("AmplitudeAI(config=AIConfig(server_url='http://x'))", "ok"),
        ("AmplitudeAI(api_key=os.environ['AMPLITUDE_AI_API_KEY'])", "problem"),
        ("AmplitudeAI()", "problem"),
        ("AmplitudeAI(config=AIConfig(content_mode='full'))", "problem"),
        ("AMPLITUDE_AI = {'API_KEY': key}", "ok"),
        ("AMPLITUDE_AI = dict(CLIENT=ai)", "ok"),
        ("AMPLITUDE_AI = {'ENV': 'staging'}", "problem"),
        ("app.config['AMPLITUDE_AI_CLIENT'] = ai", "ok"),
        ("app.config.update(AMPLITUDE_AI_SERVER_URL=url)", "ok"),
        ("settings.AMPLITUDE_AI_DRY_RUN = True", "ok"),
        ("class Config:\n    AMPLITUDE_AI_API_KEY = key", "ok"),
    ],
)
def test_code_may_say_where_events_go(project: Project, text: str, state: str) -> None:
    imports = "import os\nx, y = 1, 2\nfrom amplitude_ai_integrations import AIConfig, AmplitudeAI\n"
    (found,) = told(project=project(app=f"{imports}{text}\n"))
    assert found.state == state


def test_a_file_of_variables_is_looked_into_by_name_alone(project: Project) -> None:
    folder = project(
        **{".env": f"# mine\nexport AMPLITUDE_AI_API_KEY='{KEY}'\nAMPLITUDE_AI_CONTNET_MODE=full\n"}
    )
    found = told(project=folder)
    assert [(one.state, one.words, one.place) for one in found] == [
        ("hint", "AMPLITUDE_AI_API_KEY is not set here, but .env names it.", ""),
        ("warning", "AMPLITUDE_AI_CONTNET_MODE is no setting.", ".env"),
    ]


def test_a_client_is_asked_instead_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [(one.state, one.words) for one in told(ai=AmplitudeAI(sink=MemorySink()))] == [
        ("ok", "Events go to a MemorySink of yours.")
    ]
    for config, state in ((AIConfig(enabled=False), "warning"), (AIConfig(), "ok")):
        ai = AmplitudeAI(api_key=KEY, config=config)
        assert told(ai=ai)[0].state == state
        ai.shutdown()
    ai = AmplitudeAI(config=AIConfig(dry_run=True))
    assert told(ai=ai)[0].fix == "If that is not meant: take it out of your settings."
    (found,) = told(ai=AmplitudeAI(api_key="short"))
    assert found.words.startswith("The key of your settings does not look like")
    monkeypatch.setenv("AMPLITUDE_AI_CONTNET_MODE", "full")
    assert [one.state for one in told(ai=AmplitudeAI(sink=MemorySink()))] == ["ok", "warning"]
