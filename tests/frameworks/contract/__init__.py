"""All frameworks, by name: those whose libraries are there, which differs from group to group."""

from __future__ import annotations

from importlib.util import find_spec

from .framework import Framework

FRAMEWORKS: dict[str, Framework] = {}

if find_spec("langchain") is not None:
    from .langchain import LangChain

    FRAMEWORKS["langchain"] = LangChain()
