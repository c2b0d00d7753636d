"""All frameworks, by name: those whose libraries are there, which differs from group to group."""

from __future__ import annotations

from importlib.util import find_spec

from .framework import Framework

FRAMEWORKS: dict[str, Framework] = {}

if find_spec("langchain_openai") is not None:
    from .langchain import LangChain

    FRAMEWORKS["langchain"] = LangChain()

if find_spec("llama_index") is not None and find_spec("llama_index.core.agent.workflow") is not None:
    from .llamaindex import LlamaIndex

    FRAMEWORKS["llamaindex"] = LlamaIndex()

if find_spec("agents") is not None:
    from . import openai_agents

    FRAMEWORKS |= {framework.name: framework for framework in (openai_agents.CHAT, openai_agents.RESPONSES)}

if find_spec("crewai") is not None:
    from .crewai import CrewAI

    FRAMEWORKS["crewai"] = CrewAI()
