"""The functions behind a model's tools: calling them, and what the model is told of it."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..calls.facts import peek
from ..client.decorators.arguments import code_of
from ..client.failures import ToldFailure
from ..exceptions import ConfigurationError

Handlers = Mapping[str, Callable[..., Any]]
# https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls
_BLOCKS: Final = frozenset({"text", "image", "document", "search_result", "tool_reference"})


class UnknownToolError(LookupError):
    """The model asked for a tool that has no handler."""


def checked(handlers: Any) -> dict[str, Callable[..., Any]]:
    """Return handlers by the names of their tools.

    Raises:
        ConfigurationError: They are none.
    """
    if not isinstance(handlers, Mapping) or not all(map(callable, handlers.values())):
        raise ConfigurationError(
            "tool_handlers= must be a dict of functions by the names of their tools: "
            '{"get_weather": get_weather}.'
        )
    return {str(name): handler for name, handler in handlers.items()}


def check_synchronous(handlers: Handlers) -> None:
    """Refuse coroutine functions where nothing would await them.

    Raises:
        ConfigurationError: There is one.
    """
    for name, handler in handlers.items():
        if _is_coroutine_function(handler):
            raise ConfigurationError(
                f"The handler of {name!r} is a coroutine function: use arun() or astream() "
                "and an asynchronous client."
            )


def call_sync(handlers: Handlers, block: Any) -> Any:
    """Call the handler of a ``tool_use`` block with the tool's input as keywords, and return its result."""
    output = _handler(handlers, block)(**block.input)
    if inspect.iscoroutine(output):
        output.close()
        raise TypeError(f"the handler of {block.name!r} returned a coroutine, which nothing awaits here")
    return output


async def call_async(handlers: Handlers, block: Any) -> tuple[Any, Exception | None]:
    """Do the same without holding up the event loop: a plain function is called in a thread.

    Its error is returned, since a coroutine can raise no ``StopIteration``.
    """
    handler = _handler(handlers, block)
    if _is_coroutine_function(handler):
        return await handler(**block.input), None
    output, error = await asyncio.to_thread(_outcome, handler, block.input)
    return await output if inspect.isawaitable(output) else output, error


def result_of(block: Any, output: Any) -> dict[str, Any]:
    """Return the ``tool_result`` block of what a handler returned.

    Texts and lists of content blocks go as they are, everything else as JSON.
    """
    return {"type": "tool_result", "tool_use_id": block.id, "content": _content(output)}


def error_of(block: Any, error: Exception) -> dict[str, Any]:
    """Return the ``tool_result`` block that tells the model of an error."""
    words = f"{type(error).__name__}: {error}"
    return {"type": "tool_result", "tool_use_id": block.id, "content": words, "is_error": True}


def failure_of(error: Exception) -> Exception | ToldFailure:
    """Return what the tool's event says of an error; that of an unknown tool is the model's, not ours."""
    return ToldFailure("UnknownTool", str(error)) if isinstance(error, UnknownToolError) else error


def _handler(handlers: Handlers, block: Any) -> Callable[..., Any]:
    handler = handlers.get(block.name)
    if handler is None:
        known = ", ".join(handlers) or "none"
        raise UnknownToolError(f"there is no tool {block.name!r}; there are: {known}")
    return handler


def _outcome(handler: Callable[..., Any], given: Mapping[str, Any]) -> tuple[Any, Exception | None]:
    """Call a handler, and return what it raises; a future takes no ``StopIteration`` either."""
    try:
        return handler(**given), None
    except Exception as error:  # noqa: BLE001 - it is the model's to know
        return None, error


def _is_coroutine_function(handler: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(code_of(handler))


def _content(output: Any) -> Any:
    if output is None:
        return ""
    if isinstance(output, str) or _are_blocks(output):
        return output
    return json.dumps(output, ensure_ascii=False, default=_described)


def _are_blocks(output: Any) -> bool:
    return isinstance(output, list) and bool(output) and all(peek(one, "type") in _BLOCKS for one in output)


def _described(value: Any) -> Any:
    """Return what JSON has for a model of Pydantic's, or the words of anything else."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) else str(value)
