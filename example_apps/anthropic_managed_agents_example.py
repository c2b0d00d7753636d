"""An agent that runs in Anthropic's cloud, observed by what its session tells.

`ANTHROPIC_API_KEY=... MANAGED_AGENT=agent_... MANAGED_ENVIRONMENT=env_... python -m
example_apps.anthropic_managed_agents_example`
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from anthropic import Anthropic

from amplitude_ai_integrations import AmplitudeAI, Session
from amplitude_ai_integrations.frameworks.anthropic_managed import ManagedAgentTracker

QUESTIONS = ("Which trains go from Berlin to Prague?",)
PAUSE = float(os.environ.get("MANAGED_POLL_SECONDS", "2"))

ai = AmplitudeAI()  # reads AMPLITUDE_AI_API_KEY
client = Anthropic()  # reads ANTHROPIC_API_KEY
tracker = ManagedAgentTracker()


def ask(session: Session, managed_id: str, question: str) -> None:
    """Send a question, and poll until the agent is idle again; what is new of each poll becomes events."""
    print(f"> {question}")
    asked: Any = {"type": "user.message", "content": [{"type": "text", "text": question}]}
    client.beta.sessions.events.send(managed_id, events=[asked])
    is_idle = False
    while not is_idle:
        for event in tracker.poll(session, client, managed_id):
            is_idle = is_idle or event.type == "session.status_idle"
            if event.type == "agent.message":
                print("".join(block.text for block in event.content))
        if not is_idle:
            time.sleep(PAUSE)


def main(*questions: str) -> None:
    """Hold one conversation in a managed session, whose id is ours too."""
    agent_id, environment_id = os.environ.get("MANAGED_AGENT"), os.environ.get("MANAGED_ENVIRONMENT")
    if not agent_id or not environment_id:
        sys.exit("Set MANAGED_AGENT and MANAGED_ENVIRONMENT to the ids that Anthropic's console shows.")
    managed = client.beta.sessions.create(agent=agent_id, environment_id=environment_id)
    with ai.agent("travel-guide").session(managed.id, user_id="user-42") as session:
        for question in questions:
            ask(session, managed.id, question)
    client.close()
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    main(*sys.argv[1:] or QUESTIONS)
