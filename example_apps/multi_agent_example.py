"""Three agents in one session, two working for the first: `python -m example_apps.multi_agent_example`."""

from __future__ import annotations

import sys

from amplitude_ai_integrations import AmplitudeAI, OpenAI
from amplitude_ai_integrations.client import BoundAgent, Session

QUESTION = "What should I see in Prague in three days, and what should I pack for it in May?"
TASKS = ("What should I see in Prague in three days?", "What should I pack for a weekend in Prague in May?")

ai = AmplitudeAI()
client = OpenAI(amplitude=ai)  # reads OPENAI_API_KEY

concierge = ai.agent("concierge", context={"agent_type": "router"})
worker = {"agent_type": "executor"}
guide = concierge.child("guide", description="Knows what is worth seeing", context=worker)
packer = concierge.child("packer", description="Knows what goes into a bag", context=worker)


def ask(instructions: str, words: str) -> str:
    """Ask the model, as the agent whose turn it is."""
    completion = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "system", "content": instructions}, {"role": "user", "content": words}],
    )
    return str(completion.choices[0].message.content)


def delegate(session: Session, agent: BoundAgent, task: str) -> str:
    """Let another agent work in this session: its events name it, and the one it works for."""
    with session.run_as(agent):
        return ask(f"You are a {agent.agent_id}. Answer in two sentences.", task)


def main(question: str, *tasks: str) -> None:
    """Share a question out among two agents, and sum up what they say."""
    with concierge.session(user_id="user-42") as session:
        session.track_user_message(question)
        found = [delegate(session, agent, task) for agent, task in zip((guide, packer), tasks, strict=True)]
        summary = ask("You are a concierge.", "Sum up: " + " ".join(found))
        print(f"> {question}\n{summary}")
    client.close()
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    main(*sys.argv[1:] or (QUESTION, *TASKS))
