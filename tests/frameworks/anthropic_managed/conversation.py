"""A conversation with a managed agent: two turns, a tool that answers, one that fails, a subagent."""

from __future__ import annotations

from typing import Any

from ...fakes.managed_server import ManagedServer, text

END_TURN = {"type": "end_turn"}
QUESTION = "What about Paris?"


def ask(fake: ManagedServer, words: str = QUESTION) -> None:
    """Say something to the agent, which begins to run."""
    fake.say("user.message", content=text(words))
    fake.say("session.status_running")


def rest(fake: ManagedServer, reason: str = "end_turn") -> None:
    """Let the agent rest."""
    fake.say("session.status_idle", stop_reason={"type": reason})


def use(name: str, **given: str) -> dict[str, object]:
    """Return the use of a tool."""
    return {"type": "agent.tool_use", "name": name, "input": given}


def answer(words: str) -> dict[str, object]:
    """Return a message of the agent's."""
    return {"type": "agent.message", "content": text(words)}


def first_turn(fake: ManagedServer) -> None:
    """Tell a turn with two tools."""
    ask(fake)
    fake.request(answer("Let me look."), use("web_search", query="Paris"))
    fake.say("agent.tool_result", after=3, tool_use_id=fake.log[None][-2]["id"], content=text("Sunny."))
    fake.request({"type": "agent.mcp_tool_use", "name": "book", "mcp_server_name": "tables", "input": {}})
    use_id = fake.log[None][-2]["id"]
    fake.say("agent.mcp_tool_result", mcp_tool_use_id=use_id, content=text("Full."), is_error=True)
    fake.request(answer("Sunny, and no table."))
    rest(fake)


def second_turn(fake: ManagedServer) -> None:
    """Tell a turn in which another agent does the work."""
    ask(fake, "And museums?")
    created: dict[str, Any] = {"session_thread_id": "sthr_1", "agent_name": "researcher"}
    fake.say("session.thread_created", **created)
    fake.say("session.thread_status_running", **created)
    fake.threads |= {"sthr_main": "concierge", "sthr_1": "researcher"}
    fake.say(
        "agent.thread_message_received",
        thread="sthr_1",
        content=text("Find museums."),
        from_session_thread_id="sthr_main",
    )
    fake.say("session.thread_status_running", thread="sthr_1", **created)
    fake.request(answer("The Louvre."), thread="sthr_1")
    fake.say("session.thread_status_idle", thread="sthr_1", stop_reason=END_TURN, **created)
    fake.say("session.thread_status_idle", stop_reason=END_TURN, **created)
    fake.request(answer("See the Louvre."))
    rest(fake)
