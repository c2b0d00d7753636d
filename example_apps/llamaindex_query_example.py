"""LlamaIndex answers from documents: `python -m example_apps.llamaindex_query_example`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from llama_index.core import Document, SummaryIndex
from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata
from llama_index.core.llms.callbacks import llm_completion_callback
from openai import OpenAI

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.frameworks.llamaindex import AmplitudeLlamaIndexHandler

ai = AmplitudeAI()
openai = OpenAI()  # reads OPENAI_API_KEY

NOTES = (
    "Trains from Berlin to Prague leave every two hours, the first at 06:16.",
    "See Charles Bridge in Prague before eight, while it is empty.",
)


class Model(CustomLLM):
    """A model of the program's own; those of LlamaIndex's packages are observed the same way."""

    model: str = "gpt-4o-mini"

    @property
    def metadata(self) -> LLMMetadata:
        """Return the name under which the model is told of."""
        return LLMMetadata(model_name=self.model)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer; where `raw` is the vendor's answer, its tokens are counted."""
        answer = openai.chat.completions.create(
            model=self.model, messages=[{"role": "user", "content": prompt}]
        )
        return CompletionResponse(text=answer.choices[0].message.content or "", raw=answer)

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        """Answer piece by piece."""

        def pieces() -> Iterator[CompletionResponse]:
            text = ""
            for chunk in openai.chat.completions.create(
                model=self.model,
                messages=[{"role": "user", "content": prompt}],
                stream=True,
                stream_options={"include_usage": True},
            ):
                piece = (chunk.choices[0].delta.content or "") if chunk.choices else ""
                text += piece
                yield CompletionResponse(text=text, delta=piece, raw=chunk)

        return pieces()


def main(question: str) -> None:
    """Answer a question: the events tell of the query, what was found, and the model's answer."""
    index = SummaryIndex.from_documents([Document(text=note) for note in NOTES])
    engine = index.as_query_engine(llm=Model(), streaming=True)
    with (
        AmplitudeLlamaIndexHandler(ai),
        ai.agent("travel-guide").session(user_id="user-42"),
    ):
        print(f"> {question}")
        for token in engine.query(question).response_gen:  # type: ignore[union-attr]
            print(token, end="", flush=True)
        print()
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "When does the first train leave?")
