"""The programs of example_apps, each run as a reader runs it, against the fakes of the vendors: whole events."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from example_apps import demo
from tests.conftest import Serve
from tests.events import told
from tests.fakes.anthropic_server import AnthropicServer
from tests.fakes.collector import Collector
from tests.fakes.model_server import TEXT, ModelServer
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.otlp_server import OTLPServer

ROOT = Path(__file__).parents[2]
# By tests/frameworks, and by test_anthropic_programs.
TESTED_ELSEWHERE = {
    "anthropic_managed_agents_example",
    "anthropic_tool_loop_example",
    "claude_agent_sdk_example",
    "mcp_server_example",
    "openai_agents_example",
}

Event = dict[str, Any]

COUNTED = {
    "Input Tokens": 20,
    "Output Tokens": 7,
    "Total Tokens": 27,
    "Reasoning Tokens": 3,
    "Cache Read Tokens": 8,
}
OPENAI = {"Model Name": "gpt-4o-mini", "Provider": "openai", "Provider Request ID": "chatcmpl-1", **COUNTED,
          "Cost USD": 6.6e-06, "Model Tier": "fast"}  # fmt: skip
CLAUDE = {"Model Name": "claude-sonnet-4-20250514", "Provider": "anthropic", "Provider Request ID": "msg_1", **COUNTED,
          "Cache Creation Tokens": 4, "Cost USD": 0.0001464, "Model Tier": "standard", "Max Output Tokens": 1024}  # fmt: skip
STREAMED = {"Is Streaming": True, "TTFB Ms": "ms"}

JOURNEY = {"origin": "Berlin", "destination": "Prague"}
TRAINS = f"call:find_trains{json.dumps(JOURNEY)} echo:At 06:16."
FOUND = "EC 171 leaves Berlin at 06:16 and is in Prague at 10:25."
CITIES = {name: {"type": "string"} for name in JOURNEY}
LOOKED = {"Tool Input": json.dumps(JOURNEY, separators=(",", ":")), "Tool Output": FOUND}
CLERK = f"call:ask_clerk{json.dumps({'question': TRAINS})} echo:It leaves at 06:16."


def of(agent: str | None, session: str, *events: Event, **more: Any) -> list[Event]:
    """Complete the events of a session; what an event says itself wins, and `None` is said of nobody."""
    common = {"user_id": "user-42", "Agent ID": agent, "Session ID": session, **more}
    whole = [{**common, **event} for event in events]
    return [{name: value for name, value in event.items() if value is not None} for event in whole]


def asked(turn: int, trace: str, message: str, text: str, **more: Any) -> Event:
    return {"type": "User Message", "Component Type": "user_input", "Message Source": "user", "Turn ID": turn,
            "Trace ID": trace, "Message ID": message, "$llm_message": {"text": text}, **more}  # fmt: skip


def answered(turn: int, trace: str, message: str, text: str | None = None, **more: Any) -> Event:
    said = {} if text is None else {"$llm_message": {"text": text}, "Finish Reason": "stop"}
    return {"type": "AI Response", "Component Type": "llm", "Is Error": False, "Is Streaming": False, "Latency Ms": "ms",
            "Has Reasoning": True, "Turn ID": turn, "Trace ID": trace, "Message ID": message, **said, **more}  # fmt: skip


def used(turn: int, trace: str, invocation: str, by: str, name: str, **more: Any) -> Event:
    return {"type": "Tool Call", "Component Type": "tool", "Is Error": False, "Tool Success": True, "Latency Ms": "ms",
            "Turn ID": turn, "Trace ID": trace, "Invocation ID": invocation, "Parent Message ID": by, "Tool Name": name,
            **more}  # fmt: skip


def step(trace: str, span: str, name: str, given: Any, result: Any, **more: Any) -> Event:
    states = {"Input State": given, "Output State": result}
    return {"type": "Span", "Is Error": False, "Latency Ms": "ms", "Trace ID": trace, "Span ID": span, "Span Name": name,
            **{place: json.dumps(state, separators=(",", ":")) for place, state in states.items()}, **more}  # fmt: skip


def liked(trace: str, kind: str, target: str, **more: Any) -> Event:
    return {"type": "Score", "Score Name": "user-feedback", "Score Value": 1.0, "Evaluation Source": "user",
            "Target Type": kind, "Target ID": target, "Trace ID": trace, **more}  # fmt: skip


def over(trace: str) -> Event:
    return {"type": "Session End", "Trace ID": trace}


def asks(tool: str, arguments: Any, finish: str = "tool_calls", separators: Any = None) -> Event:
    function = {"name": tool, "arguments": json.dumps(arguments, separators=separators)}
    call = [{"type": "function", "id": f"call_{tool}", "function": function}]
    return {"Tool Calls": json.dumps(call, separators=(",", ":")), "Finish Reason": finish}


def offers(name: str, description: str, parameters: Any, digest: str) -> Event:
    offered = [{"name": name, "description": description, "parameters": parameters}]
    return {"Tool Definitions": json.dumps(offered, separators=(",", ":")), "Tool Definitions Count": 1,
            "Tool Definitions Hash": digest}  # fmt: skip


def prompted(text: str) -> Event:
    return {"System Prompt": text, "System Prompt Length": len(text)}


SCHEMA = {"type": "object", "properties": CITIES, "required": [*CITIES]}
TIMETABLE = offers("find_trains", "Look up today's trains between two cities.", SCHEMA, "ce392bcd07572def")
BY_LANGCHAIN = {"properties": CITIES, "required": [*CITIES], "type": "object"}
BY_PYDANTIC = {"additionalProperties": False, "properties": CITIES, "required": [*CITIES], "type": "object"}
GUIDES = {**offers("find_trains", "Look up today's trains between two cities.", BY_PYDANTIC, "80b6e8bf76a052b3"),
          **prompted("You plan trips."), **OPENAI, "Is Streaming": None}  # fmt: skip
CLERKS = {**offers("find_trains", "Look up today's trains between two cities.", BY_LANGCHAIN, "ce392bcd07572def"),
          **prompted("You know the timetable."), **OPENAI}  # fmt: skip
BY_QUESTION = {"properties": {"question": {"type": "string"}}, "required": ["question"], "type": "object"}
CONCIERGES = {**offers("ask_clerk", "Ask somebody who knows the timetable.", BY_QUESTION, "9e2850c1fb2ea7b3"),
              **prompted("You plan trips. The clerk knows all trains."), **OPENAI}  # fmt: skip
NOTES = ("Trains from Berlin to Prague leave every two hours, the first at 06:16.",
         "See Charles Bridge in Prague before eight, while it is empty.")  # fmt: skip
PROMPT = f"""Context information is below.
---------------------
{NOTES[0]}

{NOTES[1]}
---------------------
Given the context information and not prior knowledge, answer the query.
Query: echo:At 06:16.
Answer: """
READ = PROMPT.partition("echo:")[2]
WORKER = {"Parent Agent ID": "concierge", "Context": '{"agent_type":"executor"}', **OPENAI}
RELEASE = {"Agent Version": "1.0", "Env": "example"}


class Program(NamedTuple):
    """What a program is given, what it prints (`*` is a session's id), and the events it is to send."""

    given: list[str]
    prints: str
    events: list[Event]


PROGRAMS = {
    "zero_code_example": Program(
        ["echo:See it.", "echo:Pack it."],
        "> echo:See it.\nSee it.\n> echo:Pack it.\nPack it.\n",
        of(
            "travel-guide",
            "id-3",
            asked(1, "id-2", "id-1", "echo:See it."),
            answered(2, "id-2", "id-4", "See it.", **OPENAI),
            asked(3, "id-6", "id-5", "echo:Pack it."),
            answered(4, "id-6", "id-7", "Pack it.", **OPENAI),
        ),
    ),
    "wrap_openai_example": Program(
        [TRAINS],
        f"> {TRAINS}\nAt 06:16.\n",
        of(
            "travel-guide",
            "id-3",
            asked(1, "id-2", "id-1", TRAINS),
            answered(2, "id-2", "id-4", **OPENAI, **TIMETABLE, **asks("find_trains", JOURNEY)),
            used(3, "id-2", "id-5", "id-4", "find_trains", **LOOKED),
            answered(4, "id-2", "id-6", "At 06:16.", **OPENAI, **TIMETABLE),
            liked("id-2", "session", "id-3", **{"Agent ID": None}),
            over("id-2"),
        ),
    ),
    "multi_agent_example": Program(
        ["What now?", "echo:See it.", "echo:Pack it."],
        f"> What now?\n{TEXT}\n",
        of(
            "concierge",
            "id-3",
            asked(1, "id-2", "id-1", "What now?"),
            answered(2, "id-2", "id-4", "See it.", **WORKER, **prompted("You are a guide. Answer in two sentences."),
                     **{"Agent ID": "guide", "Agent Description": "Knows what is worth seeing"}),
            answered(3, "id-2", "id-5", "Pack it.", **WORKER, **prompted("You are a packer. Answer in two sentences."),
                     **{"Agent ID": "packer", "Agent Description": "Knows what goes into a bag"}),
            answered(4, "id-2", "id-6", TEXT, **OPENAI, **prompted("You are a concierge.")),
            over("id-2"),
            Context='{"agent_type":"router"}',
        ),
    ),
    "framework_integration_example": Program(
        ["echo:See Charles Bridge."],
        "> echo:See Charles Bridge.\nSee Charles Bridge.\n",
        of(
            "travel-guide",
            "id-4",
            step("id-2", "id-1", "Tips", {"query": "echo:See Charles Bridge."},
                 {"documents": [{"content": "See Charles Bridge in Prague before eight, while it is empty.", "metadata": {}}]},
                 **{"Parent Span ID": "id-3"}),
            asked(1, "id-2", "id-5", "echo:See Charles Bridge."),
            # LangChain's streams do not say the request's id.
            answered(2, "id-2", "id-6", "See Charles Bridge.", **{**OPENAI, **STREAMED, "Provider Request ID": None},
                     **prompted("What you know: See Charles Bridge in Prague before eight, while it is empty.")),
            step("id-2", "id-3", "RunnableSequence", {"value": "echo:See Charles Bridge."}, {"value": "See Charles Bridge."}),
            over("id-2"),
        ),
    ),
    "llamaindex_query_example": Program(
        ["echo:At 06:16."],
        f"> echo:At 06:16.\n{READ}\n",
        of(
            "travel-guide",
            "id-4",
            step("id-2", "id-1", "SummaryIndexRetriever", {"value": "echo:At 06:16."},
                 {"documents": [{"content": note, "metadata": {}, "score": None} for note in NOTES]},
                 **{"Parent Span ID": "id-3"}),
            asked(1, "id-2", "id-5", PROMPT),
            answered(2, "id-2", "id-6", READ, **{**OPENAI, **STREAMED}),
            step("id-2", "id-7", "CompactAndRefine", {"value": "echo:At 06:16."}, {"value": READ},
                 **{"Parent Span ID": "id-3"}),
            step("id-2", "id-3", "RetrieverQueryEngine", {"value": "echo:At 06:16."}, {"value": READ}),
            over("id-2"),
        ),
    ),
    "langchain_agent_example": Program(
        [CLERK],
        f"> {CLERK}\nIt leaves at 06:16.\n",
        of(
            "concierge",
            "id-3",
            asked(1, "id-2", "id-1", CLERK),
            answered(2, "id-2", "id-4", **CONCIERGES, **asks("ask_clerk", {"question": TRAINS})),
            *of(
                "clerk",
                "id-3",
                asked(3, "id-2", "id-5", TRAINS, **{"Message Source": "agent"}),
                answered(4, "id-2", "id-6", **CLERKS, **asks("find_trains", JOURNEY)),
                used(5, "id-2", "id-7", "id-6", "find_trains", **LOOKED),
                answered(6, "id-2", "id-8", "At 06:16.", **CLERKS),
                step("id-2", "id-9", "clerk", {"value": TRAINS}, {"value": "At 06:16."}, **{"Parent Span ID": "id-10", "Span Kind": "agent"}),
                **{"Agent Name": "clerk", "Parent Agent ID": "concierge"},
            ),
            used(7, "id-2", "id-11", "id-4", "ask_clerk",
                 **{"Tool Input": json.dumps({"question": TRAINS}, separators=(",", ":")), "Tool Output": "At 06:16."}),
            answered(8, "id-2", "id-12", "It leaves at 06:16.", **CONCIERGES),
            step("id-2", "id-10", "concierge", {"value": CLERK}, {"value": "It leaves at 06:16."}, **{"Span Kind": "agent"}),
            {**over("id-2"), "Agent Name": None},
            **{"Agent Name": "concierge"},
        ),
    ),
    "opentelemetry_example": Program(
        [TRAINS, "echo:See it."],
        f"> {TRAINS}\nAt 06:16.\n> echo:See it.\nSee it.\n",
        of(
            "travel-guide",
            "id-3",
            asked(1, "id-2", "id-1", TRAINS),
            answered(2, "id-2", "id-4", **GUIDES, **asks("find_trains", JOURNEY)),
            used(3, "id-2", "id-5", "id-4", "find_trains", **LOOKED),
            answered(4, "id-2", "id-6", "At 06:16.", **GUIDES),
            step("id-2", "id-7", "travel-guide", {"value": TRAINS}, {"value": "At 06:16."}, **{"Span Kind": "agent"}),
            asked(5, "id-9", "id-8", "echo:See it."),
            answered(6, "id-9", "id-10", "See it.", **GUIDES),
            step("id-9", "id-11", "travel-guide", {"value": "echo:See it."}, {"value": "See it."}, **{"Span Kind": "agent"}),
            {**over("id-9"), "Agent Name": None},
            **{"Agent Name": "travel-guide"},
        ),
    ),
    "real_openai_example": Program(
        ["echo:See it.", "echo:Pack it."],
        "> echo:See it.\nSee it.\n> echo:Pack it.\nPack it.\nSession *: 6 events delivered.\n",
        of(
            "travel-guide",
            "id-3",
            asked(1, "id-2", "id-1", "echo:See it."),
            answered(2, "id-2", "id-4", "See it.", **{**OPENAI, **STREAMED}),
            asked(3, "id-6", "id-5", "echo:Pack it."),
            answered(4, "id-6", "id-7", "Pack it.", **{**OPENAI, **STREAMED}),
            liked("id-6", "message", "id-7"),
            over("id-6"),
            **RELEASE,
        ),
    ),
    "real_anthropic_example": Program(
        [TRAINS, "echo:See it."],
        f"> {TRAINS}\nAt 06:16.\n> echo:See it.\nSee it.\nSession *: 8 events delivered.\n",
        of(
            "travel-guide",
            "id-3",
            asked(1, "id-2", "id-1", TRAINS),
            answered(2, "id-2", "id-4", **CLAUDE, **TIMETABLE, **asks("find_trains", JOURNEY, "tool_use", (",", ":"))),
            used(3, "id-2", "id-5", "id-4", "find_trains", **LOOKED),
            answered(4, "id-2", "id-6", "At 06:16.", **{**CLAUDE, "Finish Reason": "end_turn"}, **TIMETABLE),
            asked(5, "id-8", "id-7", "echo:See it."),
            answered(6, "id-8", "id-9", "See it.", **{**CLAUDE, "Finish Reason": "end_turn"}, **TIMETABLE),
            liked("id-8", "message", "id-9"),
            over("id-8"),
            **RELEASE,
        ),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def fakes() -> Iterator[list[ModelServer]]:
    started: list[ModelServer] = [OpenAIServer(), AnthropicServer()]
    yield started
    for fake in started:
        fake.stop()


@pytest.fixture
def environment(fakes: list[ModelServer]) -> Mapping[str, str]:
    """What the programs read; of what the machine is set up for, nothing."""
    openai, anthropic = fakes
    for fake in fakes:
        fake.release()
    vendors = ("OPENAI_", "ANTHROPIC_", "LANGSMITH_", "LANGCHAIN_", "OTEL_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(vendors)},
        "OPENAI_API_KEY": "key-of-mine",
        "ANTHROPIC_API_KEY": "key-of-mine",
        "OPENAI_BASE_URL": f"{openai.address}/v1",
        "ANTHROPIC_BASE_URL": anthropic.address,
        "AMPLITUDE_AI_API_KEY": "my-project",
    }


def timeless(events: list[Event]) -> list[Event]:
    """Return events with their times checked, and gone."""
    for event in events:
        for name in {"Latency Ms", "TTFB Ms"} & {*event}:
            assert 0 <= event[name] < 30_000
            event[name] = "ms"
    return events


def test_every_program_is_run_and_told_of() -> None:
    assert {*demo.PROGRAMS} - TESTED_ELSEWHERE == {*PROGRAMS}
    readme = (ROOT / "example_apps/README.md").read_text()
    assert all(f"[{name}.py]({name}.py)" in readme for name in demo.PROGRAMS)
    assert all(len(path.read_text().splitlines()) <= 80 for path in demo.PROGRAMS.values())


def test_a_collector_gets_the_same_as_spans(environment: Mapping[str, str], serve: Serve) -> None:
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "example_apps.opentelemetry_example",
        TRAINS,
        "echo:See it.",
    ]
    amplitude = Collector()
    with OTLPServer() as collector:
        settings = {
            "AMPLITUDE_AI_SERVER_URL": serve(amplitude.app),
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        }
        run = subprocess.run(
            command, env={**environment, **settings}, cwd=ROOT, capture_output=True, timeout=60, check=False
        )
        tree = collector.tree()
    assert (run.returncode, run.stderr) == (0, b"")
    assert timeless(told(amplitude.events)) == PROGRAMS["opentelemetry_example"].events
    assert tree == [
        "exchange",
        "  invoke_agent travel-guide",
        "    chat gpt-4o-mini",
        "    execute_tool find_trains",
        "    chat gpt-4o-mini",
        "exchange",
        "  invoke_agent travel-guide",
        "    chat gpt-4o-mini",
    ]
    first, _second = [span for span in collector.spans if span.name == "invoke_agent travel-guide"]
    assert first.attributes["user.id"] == "user-42"
    assert collector.named("execute_tool find_trains").attributes["gen_ai.tool.call.result"] == FOUND


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_sends_these_events_and_no_others(
    name: str, environment: Mapping[str, str], fakes: list[ModelServer], serve: Serve
) -> None:
    collector, program = Collector(), PROGRAMS[name]
    command = [sys.executable, "-W", "error", "-m", f"example_apps.{name}", *program.given]
    run = subprocess.run(
        command,
        env={**environment, "AMPLITUDE_AI_SERVER_URL": serve(collector.app)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert re.sub(r"(?<=Session )[\w-]{36}", "*", run.stdout) == program.prints
    assert timeless(told(collector.events)) == program.events
    assert {body["api_key"] for body in collector.bodies} == {"my-project"}
    headers = [
        {key.lower(): value for key, value in one["headers"].items()}
        for fake in fakes
        for one in fake.requests
    ]
    keys = {header.get("x-api-key") or header["authorization"] for header in headers}
    assert keys in ({"key-of-mine"}, {"Bearer key-of-mine"})


SCRIPTED = {
    "multi_agent_example": "> What",
    "langchain_agent_example": f"> Which trains go from Berlin to Prague?\n{FOUND}\n",
    "llamaindex_query_example": f"> When does the first train leave?\n{NOTES[0]}\n",
    "openai_agents_example": f"> Which trains go from Berlin to Prague?\n{FOUND}\n",
    "opentelemetry_example": f"> Which trains go from Berlin to Prague?\n{FOUND}\n> And what should I see in Prague?\n",
    "mcp_server_example": f"> find_trains: The user wants to go from Berlin to Prague.\n{FOUND}\n> book_seat: ",
}


@pytest.mark.parametrize("name", SCRIPTED)
def test_the_demo_runs_a_program_without_any_key_and_says_where_it_is(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["demo", name, "--once"])
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(demo.signal, "signal", lambda *_: None)  # the handlers of pytest stay
    monkeypatch.setattr(demo.demo, "ANALYTICS_PORT", 0)
    assert demo.main() == 0
    said = capfd.readouterr().out
    assert said.removeprefix("No OPENAI_API_KEY, so a scripted model answers.\n").startswith(SCRIPTED[name])
    assert "not in my script" not in said
    assert re.search(r"It is in Agent Analytics:\n  http://127\.0\.0\.1:\d+/sessions/[\w-]{36}\n$", said)


def test_the_demo_says_which_key_a_program_needs(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["demo", "real_anthropic_example", "--once"])
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.setattr(demo.signal, "signal", lambda *_: None)
    assert demo.main() == 1
    assert "it needs a key in ANTHROPIC_API_KEY" in capfd.readouterr().err
