"""The travel guide itself: a model, one tool, and the loop between them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from openai.lib.streaming.chat import ChatCompletionStreamState

from amplitude_ai_integrations import OpenAI
from amplitude_ai_integrations.django import get_client
from example_apps.fastapi_chat.trains import FIND_TRAINS, run_find_trains

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
INSTRUCTIONS = "You are a travel guide. Answer briefly, in plain text without Markdown."
MODEL_CALLS_PER_TURN = 4

client = OpenAI(amplitude=get_client())  # the class of `openai` itself, told where its events go


def answer(messages: list[Any]) -> Iterator[dict[str, Any]]:
    """Call the model, run the tool it asks for, call it again, until it answers in words."""
    for _ in range(MODEL_CALLS_PER_TURN):
        reply_id = str(uuid4())
        reply = ChatCompletionStreamState()
        with client.chat.completions.create(  # type: ignore[call-overload] # amplitude_* is not the vendor's
            model=MODEL,
            messages=[{"role": "system", "content": INSTRUCTIONS}, *messages],
            tools=[FIND_TRAINS],
            stream=True,
            stream_options={"include_usage": True},  # exact tokens, from servers other than OpenAI's too
            amplitude_message_id=reply_id,  # chosen here, so that the page can score this reply
        ) as stream:
            for chunk in stream:
                reply.handle_chunk(chunk)
                if chunk.choices and (text := chunk.choices[0].delta.content):
                    yield {"text": text}
        message = reply.current_completion_snapshot.choices[0].message
        messages.append(message.model_dump(exclude_none=True, exclude={"tool_calls": {"__all__": {"index"}}}))
        if not message.tool_calls:
            yield {"reply_id": reply_id}
            return
        for call in message.tool_calls:
            yield {"tool": call.function.name, "arguments": call.function.arguments}
            result = run_find_trains(call.function.arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    yield {"error": f"No answer after {MODEL_CALLS_PER_TURN} model calls. Ask in other words."}
