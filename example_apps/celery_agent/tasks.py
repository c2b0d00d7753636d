"""The Celery app and its agent. What Agent Analytics needs of it is `ai`, the line after it, and `client`."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from celery import Celery  # type: ignore[import-untyped]

from amplitude_ai_integrations import AmplitudeAI, OpenAI
from amplitude_ai_integrations.workers.celery import AmplitudeAICelery
from example_apps.fastapi_chat.trains import FIND_TRAINS, run_find_trains

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
INSTRUCTIONS = "You are a travel guide. Answer briefly, in plain text without Markdown."
MODEL_CALLS_PER_TURN = 4

# A folder is the broker here, so that nothing has to be installed; in earnest this is Redis or RabbitMQ.
QUEUE = Path(os.environ.get("QUEUE_FOLDER") or tempfile.mkdtemp(prefix="celery-agent-"))
for name in ("messages", "control", "results"):
    (QUEUE / name).mkdir(exist_ok=True)

app = Celery("celery_agent", broker="filesystem://", backend=f"file://{QUEUE / 'results'}")
app.conf.broker_transport_options = {
    "data_folder_in": str(QUEUE / "messages"),
    "data_folder_out": str(QUEUE / "messages"),
    "control_folder": str(QUEUE / "control"),
    "polling_interval": 0.1,
}


@cache
def ai() -> AmplitudeAI:
    """Return this process's client: a worker forks, and a client delivers where it was first used."""
    return AmplitudeAI()


AmplitudeAICelery(app, amplitude_ai=ai)


@cache
def client() -> OpenAI:
    """Return the class of `openai` itself: it reads OPENAI_API_KEY and OPENAI_BASE_URL."""
    return OpenAI(amplitude=ai())


@app.task(name="answer")  # type: ignore[untyped-decorator] # celery has no types
def answer(question: str) -> str:
    """Answer one question. Whose it is, and in which conversation, came along with the task."""
    messages: list[Any] = [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": question}]
    for _ in range(MODEL_CALLS_PER_TURN):
        completion = client().chat.completions.create(
            model=MODEL,
            messages=messages,
            tools=[FIND_TRAINS],  # type: ignore[list-item] # a plain dictionary, as the vendor's guides show it
        )
        message = completion.choices[0].message
        if not message.tool_calls:
            return message.content or ""
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            result = run_find_trains(call.function.arguments)  # type: ignore[union-attr] # the only kind on offer
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    return f"No answer after {MODEL_CALLS_PER_TURN} model calls. Ask in other words."
