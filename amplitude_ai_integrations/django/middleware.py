"""The middleware: a session around each request, synchronous or asynchronous."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from weakref import ref

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.signals import got_request_exception

from ..exceptions import shielded
from ..web.body import finish, finish_async, settle
from ..web.request import RequestSession
from . import conf
from .resolving import wait_for_answers
from .streaming import is_streamed, stream_within

_SESSION = "_amplitude_ai_session"


class AmplitudeAIMiddleware:
    """Lends each request a session, so that the agents inside need no ids.

    Its place is the first in ``MIDDLEWARE``: what stands above it is not seen. The session spans the view
    and the streamed body, and reports the error that nobody handled.

    Raises:
        ConfigurationError: ``AMPLITUDE_AI`` is wrong.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        conf.own_settings().check()

    def __call__(self, request: Any) -> Any:
        if self._is_async:
            return self.__acall__(request)
        session = None
        with shielded("begin of request"):
            session = _session(request)
        if session is None:
            return self.get_response(request)
        try:
            response = self.get_response(request)
        except BaseException as error:
            session.failure = error
            with shielded("end of request"):
                finish(session, wait_for_answers)
            raise
        finally:
            with shielded("end of request"):
                session.leave()
        with shielded("end of request"):
            session.answered(response.status_code)
            if is_streamed(response):
                settle(session, wait_for_answers)
                stream_within(response, session)
            else:
                finish(session, wait_for_answers)
        return response

    async def __acall__(self, request: Any) -> Any:
        session = None
        with shielded("begin of request"):
            session = _session(request)
        if session is None:
            return await self.get_response(request)
        try:
            response = await self.get_response(request)
        except BaseException as error:
            session.failure = error
            with shielded("end of request"):
                await finish_async(session)
            raise
        finally:
            with shielded("end of request"):
                session.leave()
        with shielded("end of request"):
            session.answered(response.status_code)
            if is_streamed(response):
                if session.conversation.is_waiting:
                    await session.conversation.await_answers()
                stream_within(response, session)
            else:
                await finish_async(session)
        return response


def _session(request: Any) -> RequestSession | None:
    """Begin the session of a request, if it is to be watched."""
    policy = conf.door().policy
    if policy is None or not policy.watches(request.path):
        return None
    session = RequestSession(policy, lambda: request, lambda: request.headers)
    request.__dict__[_SESSION] = ref(session)  # weakly, since the session knows its request
    session.enter()
    return session


def _note_failure(*, request: Any = None, **_: Any) -> None:
    """Note the error of which Django makes a page."""
    with shielded("error of request"):
        known = getattr(request, _SESSION, None)
        session = known() if known is not None else None
        if session is not None and not session.conversation.is_over:
            session.failure = sys.exc_info()[1]


got_request_exception.connect(_note_failure, dispatch_uid=__name__)
