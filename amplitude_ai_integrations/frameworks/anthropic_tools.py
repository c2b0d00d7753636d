"""Anthropic's tool use, from the question to the answer:
https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, Any, Final

from ..exceptions import ConfigurationError
from .anthropic_handlers import call_async, call_sync, check_synchronous, checked, error_of, result_of
from .anthropic_told import Told
from .anthropic_turns import Limits, Turns
from .options import FrameworkOptions
from .watching import Watching

if TYPE_CHECKING:
    from anthropic.types import Message
    from typing_extensions import Unpack

_NAME: Final = "tool_loop"
_ANSWER: Final = 4096  # tokens of an answer, which the vendor's API wants to be told


class AmplitudeToolLoop:
    """Calls a model, runs the tools it asks for, and calls it again until it asks for no more.

    Each model call becomes an AI Response, each tool a Tool Call, the loop itself a Span of its agent, to
    whom all of it belongs. An observed client may be given as well as a bare one: a call is told once.
    One loop serves any number of runs at once.

    A handler gets the tool's input as keywords. What it returns is told to the model: a text or a list of
    content blocks as it is, anything else as JSON. What it raises is told to the model as an error, and so
    is that there is no such tool; neither ends the loop.

    Args:
        amplitude: An ``AmplitudeAI`` or an ``Amplitude`` client; by default the only ``AmplitudeAI``.
        client: A client of Anthropic's, of its own API or of a cloud's: an asynchronous one for ``arun`` and
            ``astream``, which also take coroutine functions as handlers.
        user_id: Whose runs they are, outside any session.
        tool_handlers: The functions behind the tools, by the tools' names.
        max_iterations: How many model calls a run may take. A run that ends there returns the last answer,
            whose ``stop_reason`` is still ``"tool_use"`` and whose tools were not run; its Span is an error,
            ``MaxIterations``.
        max_seconds: After how long no further call is made, likewise (``MaxSeconds``).
        max_total_tokens: After how many tokens, likewise (``MaxTotalTokens``).
        options: See ``FrameworkOptions``.

    Raises:
        ConfigurationError: An argument is wrong, or it is not clear where to report.
    """

    def __init__(
        self,
        amplitude: Any = None,
        client: Any = None,
        user_id: str | None = None,
        tool_handlers: Mapping[str, Callable[..., Any]] | None = None,
        *,
        max_iterations: int = 10,
        max_seconds: float | None = None,
        max_total_tokens: int | None = None,
        **options: Unpack[FrameworkOptions],
    ) -> None:
        if not hasattr(client, "messages"):
            raise ConfigurationError(
                f"client= is {type(client).__name__}; pass a client of the package anthropic."
            )
        self._watching = Watching("AmplitudeToolLoop()", amplitude, {"user_id": user_id, **options})
        self._client = client
        self._handlers = checked(tool_handlers or {})
        self._limits = Limits(max_iterations, max_seconds, max_total_tokens)
        self._name = options.get("agent_name") or options.get("agent_id") or _NAME

    def run(
        self,
        *,
        model: str,
        messages: Iterable[Any],
        tools: Iterable[Any] = (),
        max_tokens: int = _ANSWER,
        history: list[Any] | None = None,
        **options: Any,
    ) -> Message:
        """Run the loop, and return the last answer.

        Args:
            model: As ``client.messages.create`` takes it, and so ``messages``, ``tools``, ``max_tokens`` and
                all further ``options``; with ``betas=`` the calls go to ``client.beta.messages``.
            messages: The conversation so far; the list is left as it is.
            tools: What the model may ask for.
            max_tokens: The longest answer.
            history: A list that takes what the loop adds to ``messages``: answers and tools' results.
            options: Anything else.

        Raises:
            ConfigurationError: The client or a handler is asynchronous.
        """
        turns, told = self._begin(options, model, messages, tools, max_tokens, history)
        self._check_client(is_async=False)
        with told.agent(turns):
            while not turns.is_over:
                request = turns.request
                with told.call(request) as call:
                    with call.out():
                        answer = self._messages(options).create(**request)
                    call.answered(answer)
                turns.add_results([self._use(told, block) for block in turns.asked_by(answer)])
        return turns.answer  # type: ignore[no-any-return]

    async def arun(
        self,
        *,
        model: str,
        messages: Iterable[Any],
        tools: Iterable[Any] = (),
        max_tokens: int = _ANSWER,
        history: list[Any] | None = None,
        **options: Any,
    ) -> Message:
        """Run the loop with an asynchronous client; see ``run``.

        Tools that one answer asks for run at the same time, plain functions in threads.

        Raises:
            ConfigurationError: The client is not asynchronous.
        """
        turns, told = self._begin(options, model, messages, tools, max_tokens, history)
        self._check_client(is_async=True)
        with told.agent(turns):
            while not turns.is_over:
                request = turns.request
                with told.call(request) as call:
                    with call.out():
                        answer = await self._messages(options).create(**request)
                    call.answered(answer)
                turns.add_results(await self._use_all(told, turns.asked_by(answer)))
        return turns.answer  # type: ignore[no-any-return]

    def stream(
        self,
        *,
        model: str,
        messages: Iterable[Any],
        tools: Iterable[Any] = (),
        max_tokens: int = _ANSWER,
        history: list[Any] | None = None,
        **options: Any,
    ) -> Iterator[Any]:
        """Run the loop, and yield the events of ``client.messages.stream`` of all its answers as they come.

        Each answer's last event is its ``message_stop``, whose ``message`` is the whole answer; a run's last
        is what ``run`` returns. A loop over it that is left ends the run.

        Raises:
            ConfigurationError: As ``run``.
        """
        turns, told = self._begin(options, model, messages, tools, max_tokens, history)
        self._check_client(is_async=False)
        return self._events(told, turns, options)

    def astream(
        self,
        *,
        model: str,
        messages: Iterable[Any],
        tools: Iterable[Any] = (),
        max_tokens: int = _ANSWER,
        history: list[Any] | None = None,
        **options: Any,
    ) -> AsyncIterator[Any]:
        """Do the same with an asynchronous client: ``async for event in loop.astream(...)``.

        Raises:
            ConfigurationError: As ``arun``.
        """
        turns, told = self._begin(options, model, messages, tools, max_tokens, history)
        self._check_client(is_async=True)
        return self._events_async(told, turns, options)

    def _events(self, told: Told, turns: Turns, options: Mapping[str, Any]) -> Iterator[Any]:
        with told.agent(turns):
            while not turns.is_over:
                request = turns.request
                with told.call(request, is_streaming=True) as call, ExitStack() as opened:
                    with call.out():
                        stream = opened.enter_context(self._messages(options).stream(**request))
                    for event in stream:
                        call.piece(event)
                        yield event
                    answer = stream.get_final_message()
                    call.finished()
                turns.add_results([self._use(told, block) for block in turns.asked_by(answer)])

    async def _events_async(self, told: Told, turns: Turns, options: Mapping[str, Any]) -> AsyncIterator[Any]:
        with told.agent(turns):
            while not turns.is_over:
                request = turns.request
                with told.call(request, is_streaming=True) as call:
                    async with AsyncExitStack() as opened:
                        with call.out():
                            manager = self._messages(options).stream(**request)
                            stream = await opened.enter_async_context(manager)
                        async for event in stream:
                            call.piece(event)
                            yield event
                        answer = await stream.get_final_message()
                    call.finished()
                turns.add_results(await self._use_all(told, turns.asked_by(answer)))

    def _begin(
        self,
        options: dict[str, Any],
        model: str,
        messages: Iterable[Any],
        tools: Iterable[Any],
        max_tokens: int,
        history: list[Any] | None,
    ) -> tuple[Turns, Told]:
        asked = {**options, "model": model, "max_tokens": max_tokens}
        offered = [*tools]
        if offered:
            asked["tools"] = offered
        return Turns(asked, messages, history, self._limits), Told(self._watching, self._client, self._name)

    def _messages(self, options: Mapping[str, Any]) -> Any:
        return self._client.beta.messages if "betas" in options else self._client.messages

    def _check_client(self, *, is_async: bool) -> None:
        if not is_async:
            check_synchronous(self._handlers)
        close = getattr(self._client, "close", None)
        if close is not None and inspect.iscoroutinefunction(close) is not is_async:
            own, other = ("run() and stream()", "arun() and astream()")[:: -1 if is_async else 1]
            raise ConfigurationError(
                f"{own} cannot use a client of {type(self._client).__name__}; use {other}."
            )

    def _use(self, told: Told, block: Any) -> dict[str, Any]:
        with told.tool(block) as tool:
            try:
                output = call_sync(self._handlers, block)
                result = result_of(block, output)
            except Exception as error:  # noqa: BLE001 - the model is told, and may try something else
                tool.failed(error)
                return error_of(block, error)
            tool.ended(output)
        return result

    async def _use_all(self, told: Told, blocks: list[Any]) -> list[dict[str, Any]]:
        tasks = [asyncio.ensure_future(self._use_async(told, block)) for block in blocks]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()  # one that was stopped stops the others
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _use_async(self, told: Told, block: Any) -> dict[str, Any]:
        with told.tool(block) as tool:
            try:
                output, error = await call_async(self._handlers, block)
                if error is not None:
                    raise error
                result = result_of(block, output)
            except Exception as raised:  # noqa: BLE001 - as in `_use`
                tool.failed(raised)
                return error_of(block, raised)
            tool.ended(output)
        return result
