"""A wrong option is said when the application starts, in one sentence."""

from __future__ import annotations

import re
from typing import Any

import pytest
from amplitude import Amplitude

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.exceptions import ConfigurationError
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware

RESOLVERS = ["user_id_resolver", "device_id_resolver", "session_id_resolver", "browser_session_id_resolver"]


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Nothing is asked of it here."""


def complaint(ai: Any, **options: Any) -> str:
    with pytest.raises(ConfigurationError) as raised:
        AmplitudeAIMiddleware(application, amplitude_ai=ai, **options)
    return str(raised.value)


def test_an_unknown_option_is_named_beside_the_known_ones(ai: AmplitudeAI) -> None:
    assert complaint(ai, user_resolver=print) == (
        "'user_resolver' is no option of the middleware; did you mean 'user_id_resolver'? There are: agent, agent_id, agent_version, "
        "browser_session_id_resolver, context, customer_org_id, device_id_resolver, end_session, env, exclude, "
        "flush_on_response, groups, include, session_id_resolver, track_session_events, user_id_resolver."
    )


@pytest.mark.parametrize("name", RESOLVERS)
def test_a_resolver_must_be_callable(ai: AmplitudeAI, name: str) -> None:
    assert complaint(ai, **{name: "ada"}) == f"{name} must be callable, not str."


@pytest.mark.parametrize("name", ["include", "exclude"])
def test_patterns_must_compile_and_be_a_list(ai: AmplitudeAI, name: str) -> None:
    assert complaint(ai, **{name: ["("]}).startswith(f"{name} has a pattern that does not compile: ")
    assert complaint(ai, **{name: "/chat"}) == f"{name} must be a list of patterns, not one string."


@pytest.mark.parametrize("name", ["include", "exclude"])
@pytest.mark.parametrize("value", [[re.compile("^/health")], [b"^/health"], 5, {"^/health": 1}])
def test_patterns_must_be_texts(ai: AmplitudeAI, name: str, value: Any) -> None:
    words = f"{name} must be a list of patterns as texts, such as ['^/health']."
    assert complaint(ai, **{name: value}) == words


def test_an_agent_must_be_a_handle(ai: AmplitudeAI) -> None:
    assert complaint(ai, agent="bot") == "agent must be what ai.agent() returns, not str."


@pytest.mark.parametrize("name", ["context", "groups"])
@pytest.mark.parametrize("value", ["pro", ["pro"], 7])
def test_dimensions_must_be_a_mapping_or_a_function(ai: AmplitudeAI, name: str, value: Any) -> None:
    assert name in complaint(ai, **{name: value})


@pytest.mark.parametrize("value", [None, object(), "api-key", AmplitudeAI])
def test_the_client_must_be_one_and_the_argument_is_named(value: Any) -> None:
    assert complaint(value).startswith("amplitude_ai")


def test_an_official_client_will_do() -> None:
    client = Amplitude("key")
    try:
        middleware = AmplitudeAIMiddleware(application, amplitude_ai=client)
        again = AmplitudeAIMiddleware(application, amplitude_ai=middleware.policy.ai.amplitude)
        assert again.policy.ai is middleware.policy.ai
    finally:
        client.shutdown()


def test_no_option_is_needed(ai: AmplitudeAI) -> None:
    assert AmplitudeAIMiddleware(application, amplitude_ai=ai).policy.ai is ai
