"""An observed OpenAI call over the bare call, beside what others add, whole and streamed.

Some of the others patch the vendor's classes for good, so each way has a process of its own; they are asked
in turns. The model is in one more process. Nothing is exported.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.measure import ROUNDS, report

CALLS = 60
WORDS = " ".join(f"word{number}" for number in range(18))
CASES = ("A whole answer", "An answer streamed in 20 chunks")
_context = multiprocessing.get_context("spawn")


def bare(**options: Any) -> Any:
    """OpenAI's client as it is."""
    import openai

    return openai.OpenAI(**options)


def ours(**options: Any) -> Any:
    """Observed, with a session around all calls."""
    from amplitude_ai_integrations import OpenAI
    from benchmarks.silence import ai

    ai.agent("bench").session("bench", user_id="user-1").__enter__()
    return OpenAI(amplitude=ai, **options)


def opentelemetry(**options: Any) -> Any:
    """Instrumented for OpenTelemetry, with the words of the messages, as we record them."""
    import openai
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
    from opentelemetry.sdk.trace import TracerProvider

    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
    OpenAIInstrumentor().instrument(tracer_provider=TracerProvider())
    return openai.OpenAI(**options)


def langfuse(**options: Any) -> Any:
    """Langfuse's client."""
    from langfuse import Langfuse
    from langfuse.openai import OpenAI
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    exporter.shutdown()  # it keeps nothing from then on
    Langfuse(public_key="pk", secret_key="sk", base_url="http://127.0.0.1:9", span_exporter=exporter)
    return OpenAI(**options)


def posthog(**options: Any) -> Any:
    """PostHog's client."""
    from posthog import Posthog
    from posthog.ai.openai import OpenAI

    return OpenAI(posthog_client=Posthog("phc_bench", host="http://127.0.0.1:9", send=False), **options)


WAYS: dict[str, Callable[..., Any]] = {
    "bare client": bare,
    "observed client": ours,
    "OpenTelemetry's openai-v2": opentelemetry,
    "langfuse": langfuse,
    "posthog": posthog,
}


def messages(text: str) -> Any:
    return [{"role": "system", "content": "Be kind."}, {"role": "user", "content": text}]


def whole(client: Any) -> None:
    client.chat.completions.create(model="gpt-4o", messages=messages("hello"))


def streamed(client: Any) -> None:
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    for _chunk in client.chat.completions.create(model="gpt-4o", messages=messages(f"echo:{WORDS}"), **asked):
        pass


def serve(pipe: Connection) -> None:
    """Be the model."""
    from tests.fakes.openai_server import OpenAIServer

    fake = OpenAIServer()
    pipe.send(fake.url)
    pipe.recv()
    fake.stop()


def work(pipe: Connection, way: str, url: str) -> None:
    """Be one way to call it: make so many calls of a case, and tell the CPU time of one in microseconds."""
    client = WAYS[way](api_key="k", base_url=url, max_retries=0)
    calls = dict(zip(CASES, (whole, streamed), strict=True))
    pipe.send("ready")
    for case, count in iter(pipe.recv, "stop"):
        gc.collect()
        begun = time.process_time_ns()
        for _ in range(count):
            calls[case](client)
        pipe.send((time.process_time_ns() - begun) / count / 1_000)


@contextmanager
def process(*target: Any) -> Iterator[Connection]:
    """Run a function in another process, and talk with it."""
    here, there = _context.Pipe()
    function, *given = target
    child = _context.Process(target=function, args=(there, *given))
    child.start()
    there.close()  # so that a child that dies is noticed
    try:
        yield here
    finally:
        with suppress(OSError):
            here.send("stop")
        child.join(10)
        child.kill()


def main() -> None:
    with ExitStack() as stack:
        url = stack.enter_context(process(serve)).recv()
        workers = {name: stack.enter_context(process(work, name, url)) for name in WAYS}
        for worker in workers.values():
            worker.recv()
        for case in CASES:
            taken: dict[str, list[float]] = {name: [] for name in workers}
            for worker in workers.values():
                worker.send((case, CALLS // 10))
                worker.recv()
            for _ in range(ROUNDS):
                for name, worker in workers.items():
                    worker.send((case, CALLS))
                    taken[name].append(worker.recv())
            report(case, taken)


if __name__ == "__main__":
    main()
