"""Streamed responses, whose bodies are made after the middleware has returned."""

from __future__ import annotations

from typing import Any

from ..exceptions import shielded
from ..web.body import AsyncBody, Body, finish
from ..web.request import RequestSession
from .resolving import wait_for_answers


def is_streamed(response: Any) -> bool:
    """Tell whether code of the application is left to run; a file is read, or sent, by the server."""
    return bool(response.streaming) and getattr(response, "file_to_stream", None) is None


def stream_within(response: Any, session: RequestSession) -> None:
    """Let each piece of the body be made within the session, which ends after the last one.

    What the application closes with the response is closed within it too.
    """
    kind = AsyncBody if response.is_async else _SyncBody
    body = kind(response.streaming_content, session, wait_for_answers)
    place = _Place(session)
    response._resource_closers.insert(0, place.enter)
    response._resource_closers.append(place.leave)
    response.streaming_content = body  # which adds its close() to those of the response, as the last


class _SyncBody(Body[bytes]):
    """Ends the session also where it fails: under ASGI, Django does not close a response that raised."""

    def __next__(self) -> bytes:
        try:
            return super().__next__()
        except StopIteration:
            raise
        except BaseException:
            with shielded("end of request"):
                finish(self._session, wait_for_answers)
            raise


class _Place:
    """The session as something to enter before what is closed first, and to leave after the rest."""

    def __init__(self, session: RequestSession) -> None:
        self._session = session

    def enter(self) -> None:
        with shielded("close"):
            self._session.enter()

    def leave(self) -> None:
        with shielded("close"):
            self._session.leave()
