"""A LangChain chain that looks something up: `python -m example_apps.framework_integration_example`."""

from __future__ import annotations

import sys

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig, RunnablePassthrough
from langchain_openai import ChatOpenAI

from amplitude_ai_integrations import AmplitudeAI
from amplitude_ai_integrations.frameworks.langchain import AmplitudeCallbackHandler

TIPS = (
    "See Charles Bridge in Prague before eight, while it is empty.",
    "Pack shoes that do not mind cobblestones.",
)


class Tips(BaseRetriever):
    """Finds tips that share a word with the question."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        asked = {word.strip("?.,") for word in query.lower().split() if len(word) > 3}
        return [Document(tip) for tip in TIPS if asked & set(tip.lower().split())]


def as_text(tips: list[Document]) -> str:
    """Return what was found as a prompt has it."""
    return "\n".join(tip.page_content for tip in tips)


ai = AmplitudeAI()
handler = AmplitudeCallbackHandler(ai)  # observes every run that it is given to


def main(question: str) -> None:
    """Answer as the words come; question, search, chain and answer are the events."""
    prompt = ChatPromptTemplate.from_messages([("system", "What you know: {tips}"), ("user", "{question}")])
    model = ChatOpenAI(model="gpt-4o-mini", stream_usage=True)  # reads OPENAI_API_KEY
    chain = {"tips": Tips() | as_text, "question": RunnablePassthrough()} | prompt | model | StrOutputParser()
    with ai.agent("travel-guide").session(user_id="user-42"):
        print(f"> {question}")
        for words in chain.stream(question, RunnableConfig(callbacks=[handler])):
            print(words, end="", flush=True)
        print()
    ai.flush().result(timeout=10)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "What should I see in Prague in three days?")
