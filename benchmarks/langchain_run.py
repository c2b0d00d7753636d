"""A run of LangChain's over the bare one, beside what the callbacks of others add.

The model is LangChain's own fake, so that nearly all that is measured is LangChain and who watches it. Each
way has a process of its own, since some of the others patch LangChain for good. Nothing is exported.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.measure import ROUNDS, report
from benchmarks.openai_call import WORDS, process

RUNS = 60
CASES = ("A chain of three", "A chain of three, streamed in 20 chunks")


def bare() -> list[Any]:
    """No callback."""
    return []


def ours() -> list[Any]:
    """Our handler, with a session around all runs."""
    from amplitude_ai_integrations import AmplitudeCallbackHandler
    from benchmarks.silence import ai

    ai.agent("bench").session("bench", user_id="user-1").__enter__()
    return [AmplitudeCallbackHandler(ai)]


def openinference() -> list[Any]:
    """OpenInference's instrumentation."""
    from openinference.instrumentation.langchain import LangChainInstrumentor
    from opentelemetry.sdk.trace import TracerProvider

    LangChainInstrumentor().instrument(tracer_provider=TracerProvider())
    return []


def langfuse() -> list[Any]:
    """Langfuse's handler."""
    from langfuse import Langfuse
    from langfuse.langchain import CallbackHandler
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    exporter.shutdown()  # it keeps nothing from then on
    Langfuse(public_key="pk", secret_key="sk", base_url="http://127.0.0.1:9", span_exporter=exporter)
    return [CallbackHandler()]


def posthog() -> list[Any]:
    """PostHog's handler."""
    from posthog import Posthog
    from posthog.ai.langchain import CallbackHandler

    return [CallbackHandler(Posthog("phc_bench", host="http://127.0.0.1:9", send=False))]


WAYS: dict[str, Callable[[], list[Any]]] = {
    "bare chain": bare,
    "our handler": ours,
    "OpenInference": openinference,
    "langfuse": langfuse,
    "posthog": posthog,
}


def work(pipe: Connection, way: str) -> None:
    """Be one way to run it: do so many runs of a case, and tell the CPU time of one in microseconds."""
    from langchain_core.language_models import FakeListChatModel
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate

    callbacks = WAYS[way]()
    model = FakeListChatModel(responses=[WORDS[:20]])
    prompt = ChatPromptTemplate.from_messages([("system", "Be kind."), ("user", "{x}")])
    chain = prompt | model | StrOutputParser()
    calls = dict(zip(CASES, (chain.invoke, lambda *given: list(chain.stream(*given))), strict=True))
    pipe.send("ready")
    for case, count in iter(pipe.recv, "stop"):
        gc.collect()
        begun = time.process_time_ns()
        for _ in range(count):
            calls[case]({"x": "hello"}, {"callbacks": callbacks})
        pipe.send((time.process_time_ns() - begun) / count / 1_000)


def main() -> None:
    with ExitStack() as stack:
        workers = {name: stack.enter_context(process(work, name)) for name in WAYS}
        for worker in workers.values():
            worker.recv()
        for case in CASES:
            taken: dict[str, list[float]] = {name: [] for name in workers}
            for worker in workers.values():
                worker.send((case, RUNS // 10))
                worker.recv()
            for _ in range(ROUNDS):
                for name, worker in workers.items():
                    worker.send((case, RUNS))
                    taken[name].append(worker.recv())
            report(case, taken)


if __name__ == "__main__":
    main()
