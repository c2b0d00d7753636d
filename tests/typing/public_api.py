"""What type checkers say of the public API; checked by mypy and basedpyright, never run."""

from __future__ import annotations

from starlette.applications import Starlette
from typing_extensions import assert_type

from amplitude_ai_integrations import (
    AIConfig,
    AmplitudeAI,
    AsyncOpenAI,
    BoundAgent,
    ContentMode,
    MemorySink,
    MessageLabel,
    OpenAI,
    Session,
    SessionEnrichments,
    wrap,
)
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware

ai = AmplitudeAI(config=AIConfig(content_mode=ContentMode.FULL, debug=True), sink=MemorySink())
agent = ai.agent("bot", env="production", context={"variant": "b"})
assert_type(agent, BoundAgent)

with agent.session("conversation-1", user_id="user-1", idle_timeout_minutes=240) as session:
    assert_type(session, Session)
    assert_type(session.track_user_message("hi", labels=[MessageLabel("intent", "how_to")]), str)
    assert_type(session.track_ai_message("hello", "gpt-4o", "openai", 3.5, input_tokens=10), str)
    session.score("good", 1.0, "message-1", source="user")
    session.track_session_enrichment(SessionEnrichments(quality_score=0.5))
    session.track_user_message("hi", colour="red")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    session.track_user_message("hi", is_edit="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

ai.track_user_message("user-1", "hi", "conversation-1", trace_id="t-1")
ai.track_span("user-1", "search", "t-1", 3.0, input_state={"q": 1})

client = OpenAI(amplitude=ai, api_key="k")
assert_type(wrap(client, amplitude=ai), OpenAI)
AsyncOpenAI(amplitude=ai.amplitude, api_key="k")

app = Starlette()
app.add_middleware(AmplitudeAIMiddleware, amplitude_ai=ai, user_id_resolver=lambda request: "user-1")
