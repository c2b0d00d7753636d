"""LangChain and LangGraph: https://docs.langchain.com/oss/python/langchain/overview."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..client.client import AmplitudeAI
from ..client.failures import ToldFailure
from ..exceptions import ConfigurationError, shielded
from ..registry import AGENT_FRAMEWORKS
from ..schema.values import state

if TYPE_CHECKING:
    from langchain_core.callbacks import BaseCallbackHandler
    from typing_extensions import Unpack
else:
    try:
        from langchain_core.callbacks import BaseCallbackHandler
    except ImportError as error:
        raise AGENT_FRAMEWORKS["langchain"].missing() from error

from ..calls.facts import peek
from ..runs.run import Kind
from .langchain_messages import answered, asked, last_words, words
from .options import FrameworkOptions
from .watching import Watching

_NAME: Final = "langchain"
# What LangGraph raises to wait for a person, or to hand over to another graph.
_NO_FAILURES: Final = frozenset({"GraphInterrupt", "NodeInterrupt", "GraphBubbleUp", "ParentCommand"})
# The node that calls the model, in LangGraph's own agents: by this a graph shows that it is one.
_OF_AGENTS: Final = ("agent", "model")
# https://docs.langchain.com/langsmith/threads names these for a conversation.
_CONVERSATION: Final = ("session_id", "conversation_id", "thread_id")


class LangChainOptions(FrameworkOptions, total=False):
    """What a handler takes; ``conversation_id`` is another word for ``session_id``."""

    conversation_id: str | None


class AmplitudeCallbackHandler(BaseCallbackHandler):
    """Makes ``[Agent]`` events of everything LangChain and LangGraph do: ``config={"callbacks": [handler]}``.

    Model calls become AI Responses and their prompts User Messages, tools Tool Calls; agents, chains,
    retrievers and the nodes of a graph become Spans, with the agents as agents. One handler serves any
    number of runs at once, sync and async.

    It takes ``amplitude`` (an ``AmplitudeAI`` or an ``Amplitude``; by default the only ``AmplitudeAI`` there
    is), ``user_id`` and ``LangChainOptions``. Outside any session a run's ``metadata`` may name its own
    ``thread_id`` (``session_id``, ``conversation_id``) and ``user_id``.

    Raises:
        ConfigurationError: An option does not exist or has a wrong value, or it is not clear where to report.
    """

    run_inline = True  # in the caller's own context, also under `ainvoke`

    def __init__(
        self, amplitude: Any = None, user_id: str | None = None, **options: Unpack[LangChainOptions]
    ) -> None:
        super().__init__()
        self._watching = Watching("AmplitudeCallbackHandler()", amplitude, _named(user_id, options))

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: Any, **kwargs: Any) -> None:
        """A chain, an agent, a graph or one of its nodes begins."""
        with shielded(_NAME):
            parent, about = kwargs.get("parent_run_id"), kwargs.get("metadata") or {}
            name, identity = _name(serialized, kwargs, "chain"), _identity(about)
            if name == about.get("langgraph_node") in _OF_AGENTS:
                self._watching.tree.become_agent(parent)
            if _is_agent(name, about):
                name = str(about.get("lc_agent_name") or name)
                self._watching.agent(run_id, parent, name, asked=last_words(inputs), identity=identity)
            elif parent is None or (name == about.get("langgraph_node") and not self._is_agent(parent)):
                self._watching.step(run_id, parent, name, asked=last_words(inputs), identity=identity)
            else:
                self._watching.hidden(run_id, parent, name, identity=identity)

    def on_chain_end(self, outputs: Any, *, run_id: Any, **kwargs: Any) -> None:
        """It is done; what a streamed chain was asked is known only now."""
        with shielded(_NAME):
            late = kwargs.get("inputs")
            given = {} if late is None else {"input_state": state(last_words(late))}
            self._watching.ended(run_id, last_words(outputs), **given)

    def on_chain_error(self, error: BaseException, *, run_id: Any, **kwargs: Any) -> None:
        """It raised."""
        with shielded(_NAME):
            self._failed(run_id, error)

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: Any, **kwargs: Any) -> None:
        """A chat model is called."""
        with shielded(_NAME):
            self._called(run_id, messages[0], kwargs)

    def on_llm_start(self, serialized: Any, prompts: Any, *, run_id: Any, **kwargs: Any) -> None:
        """A model that completes texts is called."""
        from langchain_core.messages import HumanMessage

        with shielded(_NAME):
            self._called(run_id, [HumanMessage(prompts[0])], kwargs)

    def on_llm_new_token(self, token: Any, *, run_id: Any, **kwargs: Any) -> None:
        """A piece of an answer comes."""
        with shielded(_NAME):
            if isinstance(token, str):
                self._watching.piece(run_id, token)

    def on_llm_end(self, response: Any, *, run_id: Any, **kwargs: Any) -> None:
        """A model answered."""
        with shielded(_NAME):
            self._watching.answered(run_id, answered(response))

    def on_llm_error(self, error: BaseException, *, run_id: Any, **kwargs: Any) -> None:
        """A model call raised, or its stream was left."""
        with shielded(_NAME):
            self._failed(run_id, error)

    def on_tool_start(self, serialized: Any, input_str: str, *, run_id: Any, **kwargs: Any) -> None:
        """A tool begins."""
        with shielded(_NAME):
            arguments = kwargs.get("inputs")
            self._watching.tool(
                run_id,
                kwargs.get("parent_run_id"),
                _name(serialized, kwargs, "tool"),
                arguments=input_str if arguments is None else arguments,
                call_id=kwargs.get("tool_call_id"),
                identity=_identity(kwargs.get("metadata") or {}),
            )

    def on_tool_end(self, output: Any, *, run_id: Any, **kwargs: Any) -> None:
        """A tool is done; one that handles its own errors says so in its message."""
        with shielded(_NAME):
            result, run = output, self._watching.tree.get(run_id)
            if peek(output, "type") == "tool":
                result, call_id = peek(output, "content"), peek(output, "tool_call_id")
                if run is not None and call_id:
                    self._watching.names(run, call_id)
            if peek(output, "status") == "error":
                self._watching.failed(run_id, ToldFailure("ToolError", str(result)), output=result)
            else:
                self._watching.ended(run_id, result)

    def on_tool_error(self, error: BaseException, *, run_id: Any, **kwargs: Any) -> None:
        """A tool raised."""
        with shielded(_NAME):
            self._failed(run_id, error)

    def on_retriever_start(self, serialized: Any, query: str, *, run_id: Any, **kwargs: Any) -> None:
        """A search for documents begins."""
        with shielded(_NAME):
            name, identity = _name(serialized, kwargs, "retriever"), _identity(kwargs.get("metadata") or {})
            self._watching.step(
                run_id, kwargs.get("parent_run_id"), name, asked={"query": query}, identity=identity
            )

    def on_retriever_end(self, documents: Any, *, run_id: Any, **kwargs: Any) -> None:
        """Documents were found."""
        with shielded(_NAME):
            found = [
                {"content": peek(document, "page_content"), "metadata": peek(document, "metadata")}
                for document in documents
            ]
            self._watching.ended(run_id, {"documents": found})

    def on_retriever_error(self, error: BaseException, *, run_id: Any, **kwargs: Any) -> None:
        """The search raised."""
        with shielded(_NAME):
            self._failed(run_id, error)

    def _is_agent(self, run_id: Any) -> bool:
        run = self._watching.tree.get(run_id)
        return run is not None and run.kind is Kind.AGENT

    def _called(self, run_id: Any, messages: Any, kwargs: Mapping[str, Any]) -> None:
        params, about = kwargs.get("invocation_params") or {}, kwargs.get("metadata") or {}
        request, parent_id = asked(messages, params, about), kwargs.get("parent_run_id")
        parent = self._watching.tree.get(parent_id)
        # What is run answers one question; whatever else its parts ask a model is the program's.
        said = parent.root.of_prompts() if parent is not None and request.user_text else None
        self._watching.call(
            run_id,
            parent_id,
            request,
            is_streaming=bool(params.get("stream")),
            words=words(messages),
            identity=_identity(about),
            said=said,
        )

    def _failed(self, run_id: Any, error: BaseException) -> None:
        if type(error).__name__ in _NO_FAILURES:
            self._watching.ended(run_id)
        else:
            self._watching.failed(run_id, error)


def create_amplitude_callback(
    amplitude: Any = None,
    user_id: str | None = None,
    *,
    amplitude_api_key: str | None = None,
    **options: Unpack[LangChainOptions],
) -> AmplitudeCallbackHandler:
    """Return a handler for LangChain; ``amplitude_api_key`` stands for a client with that key.

    Raises:
        ConfigurationError: As ``AmplitudeCallbackHandler``; or both a client and a key are given.
    """
    if amplitude_api_key is not None:
        if amplitude is not None:
            raise ConfigurationError("create_amplitude_callback() takes amplitude= or amplitude_api_key=.")
        amplitude = AmplitudeAI(api_key=amplitude_api_key)
    return AmplitudeCallbackHandler(amplitude, user_id, **options)


def _named(user_id: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    named = {"user_id": user_id, **options}
    conversation = named.pop("conversation_id", None)
    return named if conversation is None else {**named, "session_id": conversation}


def _name(serialized: Any, kwargs: Mapping[str, Any], otherwise: str) -> str:
    said = serialized if isinstance(serialized, dict) else {}
    path = said.get("id")
    return str(kwargs.get("name") or said.get("name") or (path[-1] if path else None) or otherwise)


def _is_agent(name: str, about: Mapping[str, Any]) -> bool:
    """Tell an agent: LangChain's own name it in their metadata, which their parts inherit."""
    if "lc_agent_name" in about:
        return bool(name == about["lc_agent_name"])
    is_agent = about.get("ls_integration") == "langchain_create_agent" and "langgraph_node" not in about
    return bool(is_agent) or name == "AgentExecutor"


def _identity(about: Mapping[str, Any]) -> dict[str, Any]:
    conversation = next((about[name] for name in _CONVERSATION if about.get(name)), None)
    return {"session_id": conversation, "user_id": about.get("user_id")}
