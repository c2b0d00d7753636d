"""What is not parsed was answered all the same: a failed ``parse()`` keeps what came."""

from __future__ import annotations

from typing import Any

import openai
import pydantic
import pytest

from amplitude_ai_integrations import MemorySink

from .expected import of_kind
from .ways import chat, response


class City(pydantic.BaseModel):
    city: str


WAYS = {
    "chat": lambda client, words: client.chat.completions.parse(**chat(words, response_format=City)),
    "responses": lambda client, words: client.responses.parse(**response(words, text_format=City)),
}


@pytest.mark.parametrize("api", WAYS)
def test_an_answer_of_another_shape(client: Any, sink: MemorySink, api: str) -> None:
    with pytest.raises(pydantic.ValidationError):
        WAYS[api](client, "echo:no json")
    (answer,) = of_kind("answer", sink)
    assert (answer["is_error"], answer["error_type"]) == (True, "ValidationError")
    assert (answer["llm_message"], answer["output_tokens"]) == ({"text": "no json"}, 7)
    assert answer["cost_usd"] > 0


def test_a_refused_request_knows_of_no_answer(client: Any, sink: MemorySink) -> None:
    with pytest.raises(openai.RateLimitError):
        WAYS["chat"](client, "error429")
    (answer,) = of_kind("answer", sink)
    assert "output_tokens" not in answer
