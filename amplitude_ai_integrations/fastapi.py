"""The FastAPI door: the session of a request as a parameter of its handler."""

from __future__ import annotations

from typing import Annotated, TypeAlias

try:
    from fastapi import Depends
except ImportError as error:
    raise ImportError(
        "amplitude_ai_integrations.fastapi needs FastAPI: pip install 'amplitude-ai-integrations[fastapi]'"
    ) from error

from .client.active import current_session
from .client.session import Session
from .middleware import AmplitudeAIMiddleware
from .web.handing import identified

__all__ = ["AmplitudeAIMiddleware", "CurrentSession", "request_session"]


async def request_session() -> Session:
    """Return the session that ``AmplitudeAIMiddleware`` lends this request, once it is known whose it is.

    A dependency, and a coroutine, so that it costs no thread; asynchronous resolvers are awaited here.
    """
    await identified()
    return current_session()


CurrentSession: TypeAlias = Annotated[Session, Depends(request_session)]
