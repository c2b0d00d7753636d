"""What the scripted model says: three travel questions, and the truth about everything else."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

QUESTIONS = (
    "What should I see in Prague in three days?",
    "Which trains go from Berlin to Prague?",
    "What should I pack for a weekend there in May?",
)

SIGHTS = (
    "Give each day one side of the river. On the first, walk the Old Town and cross Charles Bridge before "
    "eight, while it is still empty. On the second, see the castle and come down through the gardens of "
    "Mala Strana. Keep the third for Vysehrad: fewer people, and the best view back over the city."
)
PACKING = (
    "May in Prague is mild by day and cool at night, about 8 to 19 degrees. Take layers, a light rain jacket "
    "and shoes that do not mind cobblestones. You will not need more than a small bag."
)
NOT_IN_THE_SCRIPT = (
    "I am a scripted model, here so that the example runs without an account, and this is not in my script. "
    "Ask me what to see in Prague, what to pack, or for the trains from Berlin to Prague. "
    "With OPENAI_API_KEY set, a real model answers instead."
)

_READING = re.compile(r"Context information is below\.\s+-+\n(.*?)\n-+\n.*\bQuery: (.*)\nAnswer:", re.DOTALL)
_JOURNEY = re.compile(r"\bfrom\s+(\w+)\s+to\s+(\w+)", re.IGNORECASE)


@dataclass(frozen=True)
class Reply:
    """Words, or a tool to call with its arguments as JSON."""

    text: str = ""
    tool: str | None = None
    arguments: str = ""


def reply_to(messages: list[dict[str, Any]], tools: list[str]) -> Reply:
    """Return what the script says to a conversation, offered these tools."""
    last = messages[-1]
    if last["role"] == "tool":
        return Reply(text=_describe(_text(last["content"])))
    asked = _text(last["content"])
    question = asked.lower()
    delegates = [tool for tool in tools if tool.startswith("ask_")]
    if delegates:
        return Reply(tool=delegates[0], arguments=json.dumps({"question": asked}))
    if question.startswith("sum up:"):
        return Reply(text=asked[len("sum up:") :].strip())
    if reading := _READING.search(asked):
        return Reply(text=_look_up(*reading.groups()))
    journey = _JOURNEY.search(question)
    if "train" in question and journey and "find_trains" in tools:
        origin, destination = (city.capitalize() for city in journey.groups())
        return Reply(tool="find_trains", arguments=json.dumps({"origin": origin, "destination": destination}))
    if "pack" in question:
        return Reply(text=PACKING)
    if "see" in question and "prague" in question:
        return Reply(text=SIGHTS)
    return Reply(text=NOT_IN_THE_SCRIPT)


def _look_up(notes: str, question: str) -> str:
    """Return the note that has most of the question's words."""
    words = set(re.findall(r"\w{4,}", question.lower()))
    found = {note: len(words & {*re.findall(r"\w+", note.lower())}) for note in notes.splitlines()}
    best = max(found, key=found.__getitem__)
    return best if found[best] else NOT_IN_THE_SCRIPT


def _describe(tool_result: str) -> str:
    try:
        trains = json.loads(tool_result)
    except ValueError:
        return tool_result
    if not trains:
        return (
            "The timetable has no train between these two cities. Try Berlin to Prague, or Vienna to Prague."
        )
    if isinstance(trains, dict):
        return f"The timetable could not be read: {trains['error']}."
    times = ", ".join(
        f"{train['train']} at {train['departs']}, arriving {train['arrives']}" for train in trains
    )
    return f"Direct trains today: {times}. The first leaves you the whole afternoon."


def _text(content: str | list[dict[str, Any]] | None) -> str:
    if isinstance(content, list):
        return " ".join(part.get("text", "") for part in content)
    return content or ""
