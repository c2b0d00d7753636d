"""A fake model that reads of CrewAI's prompts only what somebody wrote, so that its script is that."""

from __future__ import annotations

import re
from typing import Any

from ...fakes.model_server import Json, ModelServer, Script
from ...fakes.openai_server import OpenAIServer, _Handler, _script

_FRAMES = re.compile(
    r"^\s*Current Task: |\n\s*\n(This is the expected criteria|Provide your complete).*", re.DOTALL
)


class _Unframed(_Handler):
    def script(self, body: Json) -> Script:
        return _script({**body, "messages": [_without_frame(message) for message in body["messages"]]})


class Unframed(OpenAIServer):
    """The running fake."""

    def __init__(self) -> None:
        ModelServer.__init__(self, _Unframed)
        self.url = f"{self.address}/v1"


def _without_frame(message: Json) -> Json:
    content: Any = message.get("content")
    return {**message, "content": _FRAMES.sub("", content)} if isinstance(content, str) else message
