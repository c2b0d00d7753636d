"""Azure OpenAI's API on 127.0.0.1: OpenAI's own, by deployment, with what the content filters found.

https://learn.microsoft.com/azure/ai-foundry/openai/reference
"""

from __future__ import annotations

from collections.abc import Iterator

from .model_server import Json, ModelServer, Script
from .openai_server import _Handler

_SAFE = {"hate": {"filtered": False, "severity": "safe"}}
# It comes before all else, and leaves empty what other chunks tell.
FILTERED: Json = {
    "id": "",
    "object": "",
    "created": 0,
    "model": "",
    "choices": [],
    "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _SAFE}],
}


class _AzureHandler(_Handler):
    def answer(self, body: Json, script: Script) -> None:
        # /openai/deployments/<deployment>/chat/completions, or /openai/responses
        _openai, _sep, name = self.path.partition("?")[0].partition("/openai/")
        if name.startswith("deployments/"):
            _deployments, _deployment, name = name.split("/", 2)
        self.path = f"/v1/{name}"
        super().answer(body, script)

    def _events(self, events: Iterator[Json], script: Script) -> Iterator[bytes]:
        def filtered() -> Iterator[Json]:
            if "/chat/" in self.path:
                yield FILTERED
            yield from events

        return super()._events(filtered(), script)


class AzureServer(ModelServer):
    """The running fake; `address` is the endpoint of its clients."""

    def __init__(self) -> None:
        super().__init__(_AzureHandler)
