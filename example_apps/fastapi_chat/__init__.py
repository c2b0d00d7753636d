"""A travel guide in a web page: FastAPI, the OpenAI client, one tool, one line of middleware."""

from __future__ import annotations
