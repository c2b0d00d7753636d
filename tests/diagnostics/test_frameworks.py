"""Agent frameworks: what runs them is found, and what observes them; what only looks alike is left alone."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import amplitude_ai_integrations
from amplitude_ai_integrations.diagnostics import Finding
from amplitude_ai_integrations.diagnostics.project.frameworks import (
    FRAMEWORKS,
    SPAN_DOORS,
    SPAN_HOME,
    Framework,
    run_by,
)

from .conftest import Examined

HOME = "amplitude_ai_integrations"
OURS = f"from {HOME} import AmplitudeAI, patch\nai = AmplitudeAI()\n"
BY_NAME = {framework.name: framework for framework in FRAMEWORKS}
RUNS = {
    "LangChain": "from langchain.agents import create_agent\nagent = create_agent('openai:gpt-4o', [])\n",
    "LlamaIndex": "from llama_index.core import VectorStoreIndex\nVectorStoreIndex.from_documents([])\n",
    "OpenAI Agents": "from agents import Agent, Runner\nRunner.run_sync(Agent(name='a'), 'Hi')\n",
    "CrewAI": "from crewai import Agent, Crew\nCrew(agents=[], tasks=[])\n",
    "Claude Agent SDK": "from claude_agent_sdk import query\nquery(prompt='Hi')\n",
    "Anthropic's tool runner": "import anthropic\nclient.beta.messages.tool_runner(model='m')\n",
    "Managed Agents API": "import anthropic\nclient.beta.sessions.events.stream('s')\n",
    "Pydantic AI": "from pydantic_ai import Agent\nagent = Agent[int, str]('openai:gpt-4o')\n",
    "Google ADK": "from google.adk.agents import LlmAgent\nroot_agent = LlmAgent(name='a')\n",
    "Strands": "import strands\nagent = strands.Agent()\n",
    "AutoGen": "from autogen_agentchat.agents import AssistantAgent\nagent = AssistantAgent('a', m)\n",
    "Haystack": "from haystack.components.generators.chat import OpenAIChatGenerator\nOpenAIChatGenerator()\n",
}
OF_CLIENTS = {name: run for name, run in RUNS.items() if BY_NAME[name].has_clients}
WITH_DOORS = {name: run for name, run in RUNS.items() if BY_NAME[name].doors}
BY_SPANS = {name: run for name, run in RUNS.items() if not BY_NAME[name].doors}


def brief(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(one.state, one.words, one.place) for one in found]


def door_of(framework: Framework) -> str:
    return framework.doors[0] if framework.doors else "enable_otel()"


def taking(door: str, framework: Framework) -> str:
    """Return lines that make a handler, and use it."""
    given = "ai" if framework.takes_client else ""
    return f"from {HOME}.{framework.home} import {door}\nhandler = {door}({given})\nuse(handler)\n"


def test_each_framework_is_tried_here() -> None:
    assert RUNS.keys() == BY_NAME.keys()


@pytest.mark.parametrize("name", RUNS)
def test_a_framework_that_nothing_observes_is_a_warning(said: Examined, name: str) -> None:
    words = f"{name} without {door_of(BY_NAME[name])}: its runs are not seen."
    (found,) = said(app=RUNS[name])
    assert brief([found]) == [("warning", words, "app.py:2")]
    lines = found.fix.splitlines()
    assert lines[0] == f"from {HOME} import AmplitudeAI"
    assert "ai = AmplitudeAI()" in lines
    ast.parse(found.fix)


@pytest.mark.parametrize("name", OF_CLIENTS)
def test_observed_clients_tell_of_calls_alone(said: Examined, name: str) -> None:
    words = f"{name} without {door_of(BY_NAME[name])}: of its runs, no more than the model calls is seen."
    assert brief(said(app=RUNS[name], ours=f"{OURS}patch(ai)\n")) == [
        ("ok", "patch() observes all clients of all providers.", "ours.py:3"),
        ("hint", words, "app.py:2"),
    ]


@pytest.mark.parametrize("name", sorted(RUNS.keys() - OF_CLIENTS.keys()))
def test_no_client_shows_what_a_vendor_runs(said: Examined, name: str) -> None:
    found = said(app=RUNS[name], ours=f"{OURS}patch(ai)\n")
    assert [one.state for one in found] == ["ok", "warning"]
    by_hand = said(app=RUNS[name], ours=f"{OURS}ai.track_ai_message('u', 'Hi', 's', 'm', 'openai', 1.0)\n")
    words = f"{name} without {door_of(BY_NAME[name])}: "
    words += "of its runs, no more is seen than what is tracked by hand."
    assert brief(by_hand) == [("hint", words, "app.py:2")]


@pytest.mark.parametrize(
    ("name", "door"), [(name, door) for name in WITH_DOORS for door in BY_NAME[name].doors]
)
def test_a_door_observes_its_framework_wherever_it_is(said: Examined, name: str, door: str) -> None:
    text = f"{OURS}{taking(door, BY_NAME[name])}"
    assert brief(said(app=RUNS[name], **{"shop/tracking.py": text})) == [
        ("ok", f"{name} is observed by {door}.", "shop/tracking.py:4")
    ]


@pytest.mark.parametrize("name", WITH_DOORS)
def test_a_handler_that_nothing_uses_observes_nothing(said: Examined, name: str) -> None:
    framework = BY_NAME[name]
    made = OURS + taking(framework.doors[0], framework).replace("use(handler)\n", "")
    (found,) = said(app=RUNS[name], ours=made)
    words = f"{name}: {framework.doors[0]} is made, and nothing uses it: no run is seen."
    assert brief([found]) == [("warning", words, "ours.py:4")]
    assert "{" not in found.fix.replace('{"callbacks"', "")
    used = {"app": f"import ours\n{RUNS[name]}ours.handler\n", "ours": made}
    assert [one.state for one in said(**used)] == ["ok"]
    bare = made.replace("handler = ", "")
    assert [one.state for one in said(app=RUNS[name], ours=bare)] == ["warning"]


def test_what_mends_an_unused_handler_names_it(said: Examined) -> None:
    for name in ("OpenAI Agents", "LlamaIndex", "CrewAI"):
        made = OURS + taking(BY_NAME[name].doors[0], BY_NAME[name]).replace("use(handler)\n", "")
        assert [one.fix for one in said(app=RUNS[name], ours=made)] == ["handler.register()"]


@pytest.mark.parametrize(
    "line",
    [
        "{door}(ai).register()",
        "with {door}(ai): ...",
        "add_trace_processor({door}(ai))",
        "def make():\n    return {door}(ai)",
        "handlers = [{door}(ai)]",
        "make = partial({door}, ai)",
        "class Mine({door}): ...",
        "class Tracking:\n    def __init__(self):\n        self.handler = {door}(ai)\n        use(self.handler)",
    ],
)
def test_a_handler_may_be_used_in_many_ways(said: Examined, line: str) -> None:
    for name in ("OpenAI Agents", "LlamaIndex", "LangChain"):
        door, home = BY_NAME[name].doors[0], BY_NAME[name].home
        text = f"from {HOME}.{home} import {door}\n{line.format(door=door)}\n"
        assert [one.state for one in said(app=RUNS[name], ours=OURS + text)] == ["ok"]


def test_a_door_that_has_nowhere_to_report_to_is_a_problem(said: Examined) -> None:
    door = f"from {HOME} import AmplitudeCallbackHandler\nuse(AmplitudeCallbackHandler(%s))\n"
    words = (
        "AmplitudeCallbackHandler raises ConfigurationError: no AmplitudeAI is made here for it to report to."
    )
    (found,) = said(app=door % "user_id='u'")
    assert brief([found]) == [("problem", words, "app.py:2")]
    assert found.fix.splitlines()[-1] == "AmplitudeCallbackHandler(..., amplitude=ai)"
    for given in ("ai", "amplitude=ai", "amplitude_api_key='k'", "**options"):
        assert [one.state for one in said(app=door % given)] == ["ok"]
    trackers = [f"from {HOME}.{BY_NAME[name].home} import {BY_NAME[name].doors[0]}\nuse({BY_NAME[name].doors[0]}())\n" for name in ("Claude Agent SDK", "Managed Agents API")]  # fmt: skip
    assert [one.state for one in said(app="".join(trackers))] == ["ok", "ok"]


def test_a_door_of_the_other_package_is_told_once(said: Examined) -> None:
    text = "from amplitude_ai.integrations.langchain import AmplitudeCallbackHandler\n"
    (found,) = said(app=f"{RUNS['LangChain']}{text}AmplitudeCallbackHandler()\n")
    words = "AmplitudeCallbackHandler is imported from amplitude_ai, which is another package."
    assert brief([found]) == [("warning", words, "app.py:4")]
    assert found.fix == f"from {HOME}.frameworks.langchain import AmplitudeCallbackHandler"


@pytest.mark.parametrize("name", BY_SPANS)
@pytest.mark.parametrize("door", ["enable_otel", *SPAN_DOORS])
def test_frameworks_that_make_spans_are_observed_by_these(said: Examined, name: str, door: str) -> None:
    text = RUNS[name] + "".join(f"{word}\n" for word in BY_NAME[name].makes_spans[:1])
    made = f"from {HOME}.{SPAN_HOME} import {door}\nprovider.add_span_processor({door}(ai))\n"
    made = "provider\nai.enable_otel()\n" if door == "enable_otel" else made
    called = f"{door}()" if door == "enable_otel" else door
    found = said(app=text, ours=OURS + made)
    assert brief(found[:1]) == [("ok", f"{name} is observed by {called}, through its spans.", "ours.py:4")]
    unseen = [("warning", "AutoGen makes no spans of its model calls: these are not seen.", "app.py:2")]
    assert brief(found[1:]) == (unseen if name == "AutoGen" else [])
    patched = said(app=text, ours=f"{OURS}{made}patch(ai)\n")
    assert [one.state for one in patched] == ["ok", "ok"]


@pytest.mark.parametrize("name", ["Pydantic AI", "Haystack"])
def test_spans_that_nothing_makes_are_told(said: Examined, name: str) -> None:
    words = f"{name}: enable_otel() takes its spans, and nothing lets it make any."
    (found,) = said(app=RUNS[name], ours=f"{OURS}ai.enable_otel()\n")
    assert brief([found]) == [("warning", words, "app.py:2")]
    assert found.fix == BY_NAME[name].fix
    assert [
        one.state for one in said(app=f"{RUNS[name]}{found.fix}\n", ours=f"{OURS}ai.enable_otel()\n")
    ] == ["ok"]


def test_spans_alone_are_told(said: Examined) -> None:
    text = f"{OURS}ai.enable_otel()\n"
    assert brief(said(app=text)) == [("ok", "enable_otel() makes events of spans.", "app.py:3")]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("LangChain", "from openinference.instrumentation.langchain import LangChainInstrumentor"),
        ("LlamaIndex", "import openinference.instrumentation.llama_index"),
        ("OpenAI Agents", "from opentelemetry.instrumentation.openai_agents import OpenAIAgentsInstrumentor"),
        ("CrewAI", "from traceloop.sdk import Traceloop"),
    ],
)
def test_instrumentation_makes_spans_of_frameworks_that_have_a_door(
    said: Examined, name: str, line: str
) -> None:
    files = {"app": RUNS[name], "spans": f"{line}\n", "ours": f"{OURS}ai.enable_otel()\n"}
    words = f"{name} is observed by enable_otel(), through its spans."
    assert brief(said(**files))[0] == ("ok", words, "ours.py:3")
    assert [one.state for one in said(**files | {"spans": "import opentelemetry\n"})] == ["hint", "ok"]


def test_spans_are_enabled_once_and_below_the_programs_own_provider(said: Examined) -> None:
    found = said(app="".join(BY_SPANS[name] for name in ("Google ADK", "Strands", "AutoGen")))
    enabled = ["ai.enable_otel()", "# ai.enable_otel(), as above"]
    lines = [[line for line in one.fix.splitlines() if "enable_otel" in line] for one in found]
    assert lines == [enabled[:1], enabled[1:], enabled[1:]]
    assert found[2].fix.splitlines()[-1] == "patch(ai)   # for its model calls"
    own = "from opentelemetry import trace\ntrace.set_tracer_provider(make())\n"
    (found,) = said(app=BY_SPANS["Strands"], spans=own)
    assert found.fix.splitlines()[-1] == "ai.enable_otel()   # below the line that sets the tracer provider"
    assert "trace.set_tracer_provider(TracerProvider())" not in found.fix


@pytest.mark.parametrize(
    "text",
    [
        "from langchain_core.callbacks import BaseCallbackHandler\nclass Mine(BaseCallbackHandler): ...\n",
        "from langchain_core.prompts import ChatPromptTemplate\nChatPromptTemplate.from_messages([])\n",
        "from langchain_core.messages import HumanMessage\nHumanMessage('Hi')\n",
        "from langchain_text_splitters import RecursiveCharacterTextSplitter as S\nS().split_text('')\n",
        "from langchain_community.document_loaders import WebBaseLoader\nWebBaseLoader('u').load()\n",
        "from langchain_community.chat_message_histories import ChatMessageHistory\nChatMessageHistory()\n",
        "from langchain_openai import OpenAIEmbeddings\nOpenAIEmbeddings()\n",
        "from langchain_mcp_adapters.client import MultiServerMCPClient\nMultiServerMCPClient({})\n",
        "from langchain_openai import ChatOpenAI\ndef ask(model: ChatOpenAI) -> str: ...\n",
        "from langsmith import traceable\n@traceable\ndef ask(): ...\n",
        "from llama_index.core import SimpleDirectoryReader\nSimpleDirectoryReader('d').load_data()\n",
        "from llama_index.core.node_parser import SentenceSplitter\nSentenceSplitter()\n",
        "from agents import function_tool\n@function_tool\ndef find(): ...\n",
        "from crewai.tools import BaseTool, tool\n@tool\ndef find(): ...\nclass Mine(BaseTool): ...\n",
        "from claude_agent_sdk import create_sdk_mcp_server, tool\ncreate_sdk_mcp_server('s', tools=[])\n",
        "import anthropic\nclient.beta.agents.create(name='a')\n",
        "from pydantic_ai import RunContext\ndef find(context: RunContext[int]): ...\n",
        "from google import genai\nfrom google.adk.tools import google_search\n",
        "from strands import tool\n@tool\ndef find(): ...\n",
        "from haystack import Document, Pipeline\nPipeline().add_component('d', Document())\n",
        "from autogen_core import CancellationToken\nCancellationToken()\n",
        "session.beta.sessions.create()\nclient.messages.tool_runner()\n",
    ],
)
def test_what_runs_nothing_is_left_alone(said: Examined, text: str) -> None:
    (found,) = said(app=text)
    assert (found.state, found.words.partition(" ")[0]) == ("hint", "No")


@pytest.mark.parametrize("name", [name for name in RUNS if BY_NAME[name].packages != ("anthropic",)])
def test_tests_of_the_project_and_modules_of_its_own_run_nothing(said: Examined, name: str) -> None:
    assert [one.words.partition(" ")[0] for one in said(**{"tests/run.py": RUNS[name], "test_run.py": RUNS[name]})] == ["No"]  # fmt: skip
    own = RUNS[name].split()[1].split(".")
    files = {"/".join(own[:2]) + ".py": "class Agent: ...\nclass Runner: ...\n", "main.py": RUNS[name]}
    assert [one.words.partition(" ")[0] for one in said(**files)] == ["No"]


AGENTS = "from agents import Agent, Runner\nRunner.run_sync(Agent[int](name='a'), 'Hi')\n"


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"src/shop/__init__.py": "", "src/shop/agents/__init__.py": "from .help import a\n", "src/shop/agents/help.py": AGENTS}, "src/shop/agents/help.py:2"),
        ({"app/agents/__init__.py": "", "app/main.py": AGENTS}, "app/main.py:2"),
        ({"app/__init__.py": "", "app/agents.py": "class Runner: ...\n", "app/main.py": AGENTS}, "app/main.py:2"),
        ({"agents/weather.py": AGENTS}, "agents/weather.py:2"),
        ({"app.py": "import agents\nagents.Runner.run_sync(agents.Agent(name='a'), 'Hi')\n"}, "app.py:2"),
        ({"a.py": "from agents import Agent\na = Agent(name='a')\n", "b.py": "from agents import Runner\n"}, "a.py:2"),
    ],
)  # fmt: skip
def test_the_sdks_module_agents_is_told_from_others(
    said: Examined, files: dict[str, str], place: str
) -> None:
    words = "OpenAI Agents without AmplitudeTracingProcessor: its runs are not seen."
    assert brief(said(**files)) == [("warning", words, place)]


@pytest.mark.parametrize(
    "files",
    [
        {"agents/__init__.py": "from .base import Agent, Runner\n", "main.py": AGENTS},
        {"agents/__init__.py": "from .base import *\n", "main.py": AGENTS},
        {"agents.py": "class Agent: ...\nRunner = Agent\n", "main.py": AGENTS},
        {"back/agents/base.py": "", "back/main.py": "from agents.base import Agent\nAgent()\n"},
        {"lib/agents/base.py": "", "main.py": "from agents import Agent\nAgent()\n"},
        {"main.py": "from .agents import Agent, Runner\nRunner.run(Agent())\n"},
        {"main.py": "from shop.agents import Agent, Runner\nRunner.run(Agent())\n"},
    ],
)
def test_a_module_agents_of_the_projects_own_is_not_the_sdks(said: Examined, files: dict[str, str]) -> None:
    assert [one.words.partition(" ")[0] for one in said(**files)] == ["No"]


@pytest.mark.parametrize(
    "text",
    [
        "from agents import set_default_openai_client\nset_default_openai_client(AsyncOpenAI(base_url='u'))\n",
        "import agents\nclient = AsyncOpenAI()\nagents.OpenAIChatCompletionsModel('m', openai_client=client)\n",
        "from agents import Agent, OpenAIResponsesModel\nAgent(model=OpenAIResponsesModel('m', AsyncOpenAI()))\n",
    ],
)
def test_a_client_that_an_observed_framework_has_is_seen(said: Examined, text: str) -> None:
    text = f"from openai import AsyncOpenAI\n{AGENTS}{text}"
    ours = OURS + taking("AmplitudeTracingProcessor", BY_NAME["OpenAI Agents"])
    assert [one.state for one in said(app=text, ours=ours)] == ["ok"]
    assert [one.state for one in said(app=text, ours=OURS)] == ["problem", "warning"]
    beside = said(app=text, ours=ours, other="import openai\nopenai.OpenAI()\n")
    assert [one.place for one in beside if one.state != "ok"] == ["other.py:2"]


def test_a_client_that_another_file_gives_to_a_framework_is_seen(said: Examined) -> None:
    made = "from openai import AsyncOpenAI\nmodel_client = AsyncOpenAI()\n"
    given = "from agents import Runner, set_default_openai_client\nfrom made import model_client\nset_default_openai_client(model_client)\n"
    ours = OURS + taking("AmplitudeTracingProcessor", BY_NAME["OpenAI Agents"])
    assert [one.state for one in said(made=made, app=given, ours=ours)] == ["ok"]


def test_clients_of_anthropics_that_our_doors_use_are_seen(said: Examined) -> None:
    client = "import anthropic\nclient = anthropic.Anthropic()\n"
    loop = f"from {HOME}.frameworks.anthropic_tools import AmplitudeToolLoop\n"
    given = f"{client}{loop}AmplitudeToolLoop(ai, client=client).run()\n"
    inline = f"import anthropic\n{loop}AmplitudeToolLoop(ai, client=anthropic.Anthropic()).run()\n"
    tracker = f"{client}{taking('ManagedAgentTracker', BY_NAME['Managed Agents API'])}"
    for text in (given, inline, tracker):
        assert [one.state for one in said(app=OURS + text)] == ["ok"]
    both = f"{OURS}{tracker}client.messages.create(model='m')\n"
    assert [one.state for one in said(app=both)] == ["problem", "ok"]
    alone = said(app=f"{client}client.beta.sessions.create(agent='a')\n")
    assert [(one.state, one.place) for one in alone] == [("warning", "app.py:3")]


def test_the_loops_line_names_the_client(said: Examined) -> None:
    run = "from amplitude_ai_integrations import Anthropic\nmine = Anthropic(ai)\nmine.beta.messages.tool_runner()\n"
    (_, found) = said(app=OURS + run)
    assert (found.state, found.place) == ("hint", "app.py:5")
    assert "loop = AmplitudeToolLoop(ai, client=mine, tool_handlers={})" in found.fix


def test_all_doors_are_there_and_do_what_is_told_of_them() -> None:
    root = Path(amplitude_ai_integrations.__file__).parent
    for framework in filter(lambda one: one.doors, FRAMEWORKS):
        module = ast.parse((root / f"{framework.home.replace('.', '/')}.py").read_text())
        made = {node.name: node for node in module.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
        assert made.keys() >= {*framework.doors}
        methods = {
            node.name for node in ast.walk(made[framework.doors[0]]) if isinstance(node, ast.FunctionDef)
        }
        used = {
            name for name in ("register", "query", "client", "run", "poll") if f".{name}(" in framework.fix
        }
        assert used <= methods
    spans = import_module(f"{HOME}.{SPAN_HOME}")
    assert {*SPAN_DOORS} <= {*dir(spans)}


def test_runs_are_told_from_parts_by_their_names() -> None:
    runs = [
        "langchain_aws.ChatBedrockConverse",
        "langchain_ollama.llms.OllamaLLM",
        "langgraph.graph.StateGraph",
    ]
    runs += ["langchain.chat_models.init_chat_model", "langchain_classic.chains.LLMChain.from_string"]
    runs += [
        "langgraph_supervisor.create_supervisor",
        "deepagents.create_deep_agent",
        "langgraph.func.entrypoint",
    ]
    runs += ["llama_index.llms.anthropic.Anthropic", "llama_index.core.agent.workflow.FunctionAgent"]
    runs += ["crewai.flow.flow.Flow", "crewai.LLM", "google.adk.runners.InMemoryRunner", "google.adk.Agent"]
    assert [path for path in runs if run_by(path) is None] == []
    parts = [
        "langchain_core.language_models.BaseChatModel",
        "langchain_openai.ChatPromptValue",
        "agents.RunConfig",
    ]
    parts += [
        "llama_index.core.llms.ChatMessage",
        "crewai.Task",
        "google.genai.Client",
        "crew.Agent",
        "agents2.Agent",
    ]
    assert [path for path in parts if run_by(path) is not None] == []
