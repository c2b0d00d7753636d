"""Claude with a tool of this program, a subagent and two turns.

`AMPLITUDE_AI_API_KEY=... python -m example_apps.claude_agent_sdk_example`

It runs the `claude` command that the SDK brings along, or the one that `CLAUDE_CLI` names.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from claude_agent_sdk import (
    AgentDefinition,
    AssistantMessage,
    ClaudeAgentOptions,
    TextBlock,
    create_sdk_mcp_server,
    tool,
)

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.frameworks.claude_agent_sdk import ClaudeAgentSDKTracker

QUESTIONS = ("Which trains go from Berlin to Prague?", "Have the critic look at that answer.")

ai = AmplitudeAI()  # reads AMPLITUDE_AI_API_KEY
tracker = ClaudeAgentSDKTracker()


@tool("find_trains", "Looks up today's trains.", {"origin": str, "destination": str})
async def find_trains(given: dict[str, Any]) -> dict[str, Any]:
    """Answer as a timetable would; each call becomes a Tool Call."""
    found = f"EC 171 leaves {given['origin']} at 06:16 and is in {given['destination']} at 10:25."
    return {"content": [{"type": "text", "text": found}]}


OPTIONS = ClaudeAgentOptions(
    cli_path=os.environ.get("CLAUDE_CLI"),
    mcp_servers={"trains": create_sdk_mcp_server("trains", tools=[find_trains])},
    allowed_tools=["mcp__trains__find_trains", "Task"],
    agents={"critic": AgentDefinition(description="Checks answers.", prompt="You find mistakes.", tools=[])},
    include_partial_messages=True,  # so that tokens and the time to the first of them are exact
)


async def main(*questions: str) -> None:
    """Hold one conversation: each question is a trace, with all that Claude does to answer it."""
    session = ai.agent("concierge").session(user_id="user-42")
    async with session, tracker.client(session, OPTIONS) as claude:
        for question in questions:
            print(f"> {question}")
            await claude.query(question)
            async for message in claude.receive_response():
                if isinstance(message, AssistantMessage) and message.parent_tool_use_id is None:
                    print("".join(block.text for block in message.content if isinstance(block, TextBlock)))
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:] or QUESTIONS))
