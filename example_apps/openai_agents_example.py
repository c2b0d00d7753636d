"""Two agents of the OpenAI Agents SDK, one asking the other, behind a guardrail.

`python -m example_apps.openai_agents_example`
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from agents import (
    Agent,
    GuardrailFunctionOutput,
    OpenAIChatCompletionsModel,
    RunContextWrapper,
    Runner,
    function_tool,
    input_guardrail,
    set_trace_processors,
)
from openai import AsyncOpenAI

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.frameworks.openai_agents import AmplitudeTracingProcessor

ai = AmplitudeAI()
# In place of the SDK's exporter; `processor.register()` would leave that one too.
set_trace_processors([AmplitudeTracingProcessor(ai)])


@function_tool
def find_trains(origin: str, destination: str) -> str:
    """Look up today's trains between two cities."""
    return f"EC 171 leaves {origin} at 06:16 and is in {destination} at 10:25."


@input_guardrail
async def is_short(
    _context: RunContextWrapper[Any], _agent: Agent[Any], asked: str | list[Any]
) -> GuardrailFunctionOutput:
    """Stop what is too long to be a question; the check becomes a Span."""
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=len(str(asked)) > 2_000)


async def main(question: str) -> None:
    """Answer a question: the events name both agents, and which of them works for which."""
    async with AsyncOpenAI() as client:  # reads OPENAI_API_KEY
        model = OpenAIChatCompletionsModel(model="gpt-4o-mini", openai_client=client)
        clerk = Agent(name="clerk", instructions="You know the timetable.", model=model, tools=[find_trains])

        @function_tool
        async def ask_clerk(question: str) -> str:
            """Ask somebody who knows the timetable."""
            return str((await Runner.run(clerk, question)).final_output)

        concierge = Agent(
            name="concierge",
            instructions="You plan trips. The clerk knows all trains.",
            model=model,
            tools=[ask_clerk],
            input_guardrails=[is_short],
        )
        async with ai.agent("concierge").session(user_id="user-42"):
            answer = await Runner.run(concierge, question)
            print(f"> {question}\n{answer.final_output}")
    await ai.aflush()


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "Which trains go from Berlin to Prague?"))
