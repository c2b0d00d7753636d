"""The agent frameworks we have a door for: what a program calls to run one, and the lines to add."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from ...registry import AGENT_FRAMEWORKS, PROVIDERS

ENABLE: Final = "enable_otel"
LOOP: Final = "AmplitudeToolLoop"
MANAGED: Final = "ManagedAgentTracker"
SPAN_HOME: Final = "frameworks.opentelemetry"
SPAN_DOORS: Final = ("AmplitudeSpanProcessor", "AmplitudeAgentExporter", "AmplitudeGenAIExporter")
# Packages that make spans of more than one framework.
INSTRUMENTING: Final = ("logfire", "openlit", "phoenix", "traceloop")


class Framework(NamedTuple):
    """A framework, what shows that it runs, and what observes it.

    ``runs`` are the dotted paths of what a program calls, or derives its classes of: a type, a prompt or a
    tool runs nothing. Where ``is_of_clients``, they are instead the names of a vendor's methods.

    ``doors`` are our classes, ``home`` is their module, ``stands_on`` what that imports, and ``fix`` what
    comes below its import; ``takes_client`` is whether a door asks where to report. Without doors a
    framework is observed by its spans, which it makes where a word of ``makes_spans`` is written.
    ``has_clients`` is whether it calls models through clients that can be observed.
    """

    name: str
    packages: tuple[str, ...]
    runs: re.Pattern[str]
    doors: tuple[str, ...] = ()
    home: str = ""
    fix: str = ""
    stands_on: str = ""
    is_of_clients: bool = False
    takes_client: bool = True
    has_clients: bool = True
    makes_spans: tuple[str, ...] = ()
    spans_have_calls: bool = True

    def used_as(self, name: str) -> str:
        """Return the lines that use a handler which is made already, under a name or none."""
        lines = self.fix.splitlines()
        if not self.takes_client or self.doors[0] == LOOP:  # made on a line of its own
            return "\n".join(line.removeprefix("# ") for line in lines[1:])
        made = f"{self.doors[0]}({{ai}})"
        return "\n".join(line.replace(made, name or f"{self.doors[0]}(...)") for line in lines)

    def is_run_by(self, path: str) -> bool:
        """Tell whether a call of a dotted path runs it."""
        return self.runs.fullmatch(path) is not None


def _paths(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


_IN: Final = r"(?:\.\w+)*\."
_LANGCHAIN: Final = r"langchain(?:_classic|_community|_experimental)?"
_NO_MODELS: Final = r"(?!(?:core|classic|community|experimental|text_splitters|tests)\b)"
_MODELS: Final = (
    r"(?:Azure)?Chat(?!Prompt|Message|Generation|Result)\w+|\w*LLM|(?:Azure)?OpenAI|Anthropic|Bedrock|Cohere"
    r"|VertexAI|GoogleGenerativeAI|MistralAI|HuggingFace(?:Pipeline|Endpoint)"
)
_IN_SESSION: Final = '# in "with {ai}.agent(...).session(...) as session:", '

FRAMEWORKS: Final = (
    Framework(
        "LangChain",
        (r"langchain\w*", r"langgraph\w*", "deepagents"),
        _paths(
            rf"(?:{_LANGCHAIN}|langgraph){_IN}(?:create_\w*(?:agent|chain)|initialize_agent|init_chat_model)",
            rf"(?:{_LANGCHAIN}|langgraph){_IN}(?:AgentExecutor|StateGraph|MessageGraph|entrypoint)(?:\.from_\w+)?",
            rf"{_LANGCHAIN}\.chains{_IN}(?:\w+Chain|RetrievalQA|load_\w+_chain)(?:\.from_\w+)?",
            rf"{_LANGCHAIN}\.(?:chat_models|llms){_IN}(?:{_MODELS}|Ollama)",
            rf"langchain_{_NO_MODELS}\w+{_IN}(?:{_MODELS})",
            r"langgraph_(?:supervisor|swarm)\.create_\w+",
            r"deepagents\.\w*create_deep_agent",
        ),
        ("AmplitudeCallbackHandler", "create_amplitude_callback"),
        "frameworks.langchain",
        "from contextvars import ContextVar\n"
        "from langchain_core.tracers.context import register_configure_hook\n"
        'register_configure_hook(ContextVar("amplitude", default=AmplitudeCallbackHandler({ai})), True)\n'
        '# or, run by run: config={"callbacks": [AmplitudeCallbackHandler({ai})]}',
        AGENT_FRAMEWORKS["langchain"].module,
    ),
    Framework(
        "LlamaIndex",
        ("llama_index",),
        _paths(
            r"llama_index\.(?:llms|agent|embeddings)\.(?:\w+\.)*[A-Z]\w*(?:\.from_\w+)?",
            rf"llama_index{_IN}(?:\w+Index|\w*Agent|AgentWorkflow|\w+Engine|\w*LLM|load_ind\w+)(?:\.from_\w+)?",
        ),
        ("AmplitudeLlamaIndexHandler", "create_amplitude_llamaindex_handler"),
        "frameworks.llamaindex",
        "AmplitudeLlamaIndexHandler({ai}).register()",
        AGENT_FRAMEWORKS["llamaindex"].module,
    ),
    Framework(
        "OpenAI Agents",
        ("agents",),
        _paths(r"agents(?:\.agent|\.run|\.sandbox)?\.(?:Agent|SandboxAgent|Runner(?:\.\w+)?)"),
        ("AmplitudeTracingProcessor",),
        "frameworks.openai_agents",
        "AmplitudeTracingProcessor({ai}).register()",
        AGENT_FRAMEWORKS["openai_agents"].module,
    ),
    Framework(
        "CrewAI",
        ("crewai",),
        _paths(rf"crewai{_IN}(?:Crew|Agent|LiteAgent|LLM|Flow)"),
        ("AmplitudeCrewAIHooks",),
        "frameworks.crewai",
        "AmplitudeCrewAIHooks({ai}).register()",
        AGENT_FRAMEWORKS["crewai"].module,
    ),
    Framework(
        "Claude Agent SDK",
        ("claude_agent_sdk",),
        _paths(rf"claude_agent_sdk{_IN}(?:query|ClaudeSDKClient)"),
        ("ClaudeAgentSDKTracker",),
        "frameworks.claude_agent_sdk",
        "tracker = ClaudeAgentSDKTracker()\n"
        + _IN_SESSION
        + "instead of query(...) and ClaudeSDKClient(...):\n"
        + "# tracker.query(session, prompt=...), tracker.client(session, options)",
        AGENT_FRAMEWORKS["claude_agent_sdk"].module,
        takes_client=False,
        has_clients=False,
    ),
    Framework(
        "Anthropic's tool runner",
        ("anthropic",),
        _paths(r".*\.messages\.tool_runner"),
        (LOOP,),
        "frameworks.anthropic_tools",
        "loop = AmplitudeToolLoop({ai}, client={client}, tool_handlers={})   # functions, by tools' names\n"
        "# instead of tool_runner(...): loop.run(model=..., messages=..., tools=...)",
        PROVIDERS["anthropic"].module,
        is_of_clients=True,
    ),
    Framework(
        "Managed Agents API",
        ("anthropic",),
        _paths(r".*\.beta\.sessions\..*"),
        (MANAGED,),
        "frameworks.anthropic_managed",
        "tracker = ManagedAgentTracker()\n"
        + _IN_SESSION
        + "where events are read:\n"
        + "# tracker.poll(session, {client}, session_id)",
        PROVIDERS["anthropic"].module,
        is_of_clients=True,
        takes_client=False,
        has_clients=False,
    ),
    Framework(
        "Pydantic AI",
        ("pydantic_ai",),
        _paths(rf"pydantic_ai{_IN}Agent(?:\.from_\w+)?"),
        fix="import pydantic_ai\npydantic_ai.Agent.instrument_all()",
        makes_spans=("instrument", "instrument_all", "instrument_pydantic_ai", "Instrumentation", "logfire"),
    ),
    Framework("Google ADK", (r"google\.adk",), _paths(rf"google\.adk{_IN}(?:\w*Agent|\w*Runner)")),
    Framework("Strands", ("strands",), _paths(rf"strands{_IN}(?:Agent|Swarm|GraphBuilder)")),
    Framework(
        "AutoGen",
        ("autogen_agentchat",),
        _paths(rf"autogen_agentchat{_IN}(?:\w+Agent|\w+GroupChat|Swarm)"),
        spans_have_calls=False,
    ),
    Framework(
        "Haystack",
        ("haystack", "haystack_integrations"),
        _paths(rf"haystack(?:_integrations)?\.components\.(?:generators|agents){_IN}[A-Z]\w+"),
        fix="# pip install openinference-instrumentation-haystack\n"
        "from openinference.instrumentation.haystack import HaystackInstrumentor\n"
        "HaystackInstrumentor().instrument()",
        makes_spans=("HaystackInstrumentor", *INSTRUMENTING),
    ),
)
BY_DOOR: Final = {door: framework for framework in FRAMEWORKS for door in framework.doors}
# What the name of a module begins with that has to do with a framework or its spans.
ROOTS: Final = sorted(
    {package.partition(r"\.")[0] for framework in FRAMEWORKS for package in framework.packages}
    | {"openinference", *INSTRUMENTING}
)
_BY_PATH: Final = [framework for framework in FRAMEWORKS if not framework.is_of_clients]
_OF_CLIENTS: Final = [framework for framework in FRAMEWORKS if framework.is_of_clients]
_PACKAGE: Final = re.compile("|".join({package for framework in _BY_PATH for package in framework.packages}))


def owners_of(path: str) -> Iterator[Framework]:
    """Yield the frameworks to which something belongs by its dotted path."""
    for framework in _BY_PATH:
        if any(re.match(rf"{package}\b", path) for package in framework.packages):
            yield framework


def run_by(path: str) -> Framework | None:
    """Return the framework that a call of a dotted path runs."""
    if not _PACKAGE.match(path):
        return None
    return next((framework for framework in _BY_PATH if framework.is_run_by(path)), None)


def run_by_method(name: str) -> Iterator[Framework]:
    """Yield what a call of a client's method runs, by how it stands in the program."""
    for framework in _OF_CLIENTS:
        if framework.is_run_by(name):
            yield framework
