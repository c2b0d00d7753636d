"""A program that knows nothing of us."""

from __future__ import annotations

from openai import OpenAI

client = OpenAI(max_retries=0)


def ask(words: str) -> str:
    messages = [{"role": "user", "content": words}]
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages).choices[0].message.content


if __name__ == "__main__":
    print(ask("Hi"))
