"""Long streams, many streams and large prompts, observed and bare: what a chunk costs, and whether it waits.

The model is in a process of its own. Each chunk says when it was sent, so that its way is measured to the
moment the reader has it.
"""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import re
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import openai

from amplitude_ai_integrations import AmplitudeAI, AsyncOpenAI, OpenAI
from benchmarks.measure import compare, report
from benchmarks.silence import Silence

CHUNKS = 10_000
STREAMS, CHUNKS_OF_EACH, PAUSE = 200, 20, 0.25
AT_THE_START = 5  # chunks of each stream, while all of them begin at once
PROMPT = "All work and no play makes a dull prompt. " * 125_000  # five megabytes
ROUNDS = 4


class Background(Silence):
    """Takes events as our own delivery does: what is long is redacted in a thread."""

    is_background = True


ai = AmplitudeAI(sink=Background())


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            break  # the client is done
        length = int(re.search(rb"content-length: (\d+)", head.lower())[1])  # type: ignore[index]
        body = await reader.readexactly(length)
        _name, chunks, pause = re.search(rb'"model": ?"(\w+)/(\d+)/([\d.]+)"', body).groups()  # type: ignore[union-attr]
        if not re.search(rb'"stream": ?true', body):
            answer = json.dumps(_whole()).encode()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
            writer.write(b"content-length: %d\r\n\r\n%s" % (len(answer), answer))
            continue
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        for _ in range(int(chunks)):
            _send(writer, f"data: {json.dumps(_chunk(str(time.time_ns())))}\n\n".encode())
            if float(pause):
                await asyncio.sleep(float(pause))
            await writer.drain()
        _send(writer, b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")
    writer.close()


def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


def _whole() -> dict[str, Any]:
    message = {"role": "assistant", "content": "One two three four."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1_250_000, "completion_tokens": 5, "total_tokens": 1_250_005}
    answer = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o"}
    return {**answer, "choices": [choice], "usage": usage}


def _chunk(text: str) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o",
        "choices": [choice],
    }


def _serve(pipe: Connection) -> None:
    async def run() -> None:
        async with await asyncio.start_server(_answer, "127.0.0.1", 0, backlog=500) as server:
            pipe.send(server.sockets[0].getsockname()[1])
            await asyncio.to_thread(pipe.recv)

    asyncio.run(run())


@contextmanager
def _model() -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}/v1"
    finally:
        process.kill()
        process.join(10)


def _asked(chunks: int, pause: float, prompt: str = "Hi", *, stream: bool = True) -> dict[str, Any]:
    messages = [{"role": "user", "content": prompt}]
    return {"messages": messages, "model": f"m/{chunks}/{pause}", "stream": stream}


def long_stream(client: Any) -> Callable[[int], None]:
    def run(chunks: int) -> None:
        for _chunk in client.chat.completions.create(**_asked(chunks, 0)):
            pass

    return run


def prompts(clients: dict[str, Any], *, stream: bool) -> dict[str, list[float]]:
    """Return how long calls with a large prompt keep the caller's thread busy, in microseconds."""
    taken: dict[str, list[float]] = {name: [] for name in clients}
    for _ in range(3 * ROUNDS):
        for name, client in clients.items():
            gc.collect()
            begun = time.thread_time_ns()
            answer = client.chat.completions.create(**_asked(1, 0, PROMPT, stream=stream))
            for _chunk in answer if stream else ():
                pass
            taken[name].append((time.thread_time_ns() - begun) / 1_000)
            ai.flush(5)
    return taken


def kept(client: Any) -> float:
    """Return how many bytes more are in use for each chunk that a stream has given."""
    stream = client.chat.completions.create(**_asked(CHUNKS, 0))
    tracemalloc.start()
    sizes = []
    for number, _chunk in enumerate(stream, 1):
        if number in (CHUNKS // 5, CHUNKS):
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return (sizes[1] - sizes[0]) / (CHUNKS - CHUNKS // 5)


async def waits(client: Any) -> list[float]:
    """Return how long each chunk of many concurrent streams was on its way, in microseconds."""
    ways: list[float] = []

    async def read() -> None:
        number = 0
        async for chunk in await client.chat.completions.create(**_asked(CHUNKS_OF_EACH, PAUSE)):
            number += 1
            if number > AT_THE_START:
                ways.append((time.time_ns() - int(chunk.choices[0].delta.content)) / 1_000)

    await asyncio.gather(*(read() for _ in range(STREAMS)))
    return ways


async def many_streams(url: str) -> None:
    """Print how long chunks were on their way, bare and observed in turns."""
    limits: dict[str, Any] = {"api_key": "k", "base_url": url, "max_retries": 0, "timeout": 60}
    kinds: dict[str, Callable[[], Any]] = {
        "bare client": lambda: openai.AsyncOpenAI(**limits),
        "observed client": lambda: AsyncOpenAI(amplitude=ai, **limits),
    }
    taken: dict[str, list[list[float]]] = {name: [] for name in kinds}
    cpu: dict[str, list[float]] = {name: [] for name in kinds}
    for round_ in range(ROUNDS + 1):
        for name, make in kinds.items():
            async with make() as client:
                begun = time.process_time_ns()
                ways = await waits(client)
                if round_:
                    taken[name].append(ways)
                    cpu[name].append((time.process_time_ns() - begun) / len(ways) / 1_000)
    print(f"{STREAMS} streams at once, a chunk every {PAUSE * 1000:.0f} ms: how long a chunk is on its way")
    for name, rounds in taken.items():
        middle = statistics.median(statistics.median(ways) for ways in rounds)
        last = statistics.median(statistics.quantiles(ways, n=100)[98] for ways in rounds)
        print(f"  {name:<44}{middle:>9.0f} us   99 of 100 in {last:.0f} us")
    report("The same, a chunk", cpu)


def main() -> None:
    with _model() as url:
        options: dict[str, Any] = {"api_key": "k", "base_url": url, "max_retries": 0}
        with openai.OpenAI(**options) as bare, OpenAI(amplitude=ai, **options) as ours:
            ways = {"bare client": bare, "observed client": ours}
            compare(
                f"A chunk of {CHUNKS:,}", {name: long_stream(client) for name, client in ways.items()}, CHUNKS
            )
            print("Bytes kept for each chunk, of which the words of the answer are 19")
            for name, client in ways.items():
                print(f"  {name:<44}{kept(client):>9.1f}")
            report("A prompt of five megabytes, answered whole", prompts(ways, stream=False))
            report("The same, answered as a stream without counts", prompts(ways, stream=True))
        asyncio.run(many_streams(url))


if __name__ == "__main__":
    main()
