"""An observed OpenAI call over the bare call, whole and streamed, against a server in another process."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import openai

from amplitude_ai_integrations import AmplitudeAI, OpenAI
from benchmarks.measure import compare
from benchmarks.silence import Silence
from tests.fakes.openai_server import OpenAIServer

CALLS = 60
WORDS = " ".join(f"word{number}" for number in range(18))


def serve(pipe: Connection) -> None:
    fake = OpenAIServer()
    pipe.send(fake.url)
    pipe.recv()
    fake.stop()


@contextmanager
def server() -> Iterator[str]:
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,))
    process.start()
    try:
        if not here.poll(20):
            raise SystemExit("The model server did not start.")
        yield here.recv()
    finally:
        here.send("stop")
        process.join(10)


def whole(client: openai.OpenAI) -> Any:
    def run(count: int) -> None:
        for _ in range(count):
            client.chat.completions.create(model="gpt-4o", messages=messages("hello"))

    return run


def streamed(client: openai.OpenAI) -> Any:
    def run(count: int) -> None:
        for _ in range(count):
            for _chunk in client.chat.completions.create(
                model="gpt-4o",
                messages=messages(f"echo:{WORDS}"),
                stream=True,
                stream_options={"include_usage": True},
            ):
                pass

    return run


def messages(text: str) -> Any:
    return [{"role": "system", "content": "Be kind."}, {"role": "user", "content": text}]


def main() -> None:
    ai = AmplitudeAI(sink=Silence())
    with server() as url:
        options: dict[str, Any] = {"api_key": "k", "base_url": url, "max_retries": 0}
        bare, ours = openai.OpenAI(**options), OpenAI(amplitude=ai, **options)
        with ai.agent("bench").session("bench", user_id="user-1"):
            compare("A whole answer", {"bare client": whole(bare), "observed client": whole(ours)}, CALLS)
            compare(
                "An answer streamed in 20 chunks",
                {"bare client": streamed(bare), "observed client": streamed(ours)},
                CALLS,
            )


if __name__ == "__main__":
    main()
