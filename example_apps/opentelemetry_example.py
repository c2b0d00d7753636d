"""Pydantic AI by its OpenTelemetry spans: in as `[Agent]` events, and out again as spans, to any back end.

`OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 python -m example_apps.opentelemetry_example`
"""

from __future__ import annotations

import asyncio
import os
import sys

from openai import AsyncOpenAI
from opentelemetry.sdk.trace import TracerProvider
from pydantic_ai import Agent, InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.frameworks.opentelemetry import AmplitudeSpanProcessor, AmplitudeSpanSink

QUESTIONS = ("Which trains go from Berlin to Prague?", "And what should I see in Prague?")

# Out: a collector gets the events as spans, beside Amplitude; without one, Amplitude alone gets them.
collector = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
ai = AmplitudeAI(also=AmplitudeSpanSink(endpoint=collector) if collector else None)

# In: the program's own tracer provider, which may have other processors; ours is one more.
provider = TracerProvider()
provider.add_span_processor(AmplitudeSpanProcessor(ai))
Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))


def find_trains(origin: str, destination: str) -> str:
    """Look up today's trains between two cities."""
    return f"EC 171 leaves {origin} at 06:16 and is in {destination} at 10:25."


async def main(*questions: str) -> None:
    """Hold one conversation: spans of the agent, its calls and its tools become events."""
    async with AsyncOpenAI() as client:  # reads OPENAI_API_KEY
        model = OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(openai_client=client))
        guide = Agent(model, name="travel-guide", instructions="You plan trips.", tools=[find_trains])
        history = None
        async with ai.agent("travel-guide").session(user_id="user-42"):
            for question in questions:
                answer = await guide.run(question, message_history=history)
                history = answer.all_messages()
                print(f"> {question}\n{answer.output}")
    await ai.aflush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:] or QUESTIONS))
