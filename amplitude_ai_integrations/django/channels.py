"""WebSockets of Django Channels: the ASGI middleware, told by Django's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..client.active import silent_client
from ..exceptions import shielded
from ..middleware import AmplitudeAIMiddleware, Application, Receive, Scope, Send
from ..web.conversation import RequestConversation
from ..web.options import Policy
from ..web.request import RequestSession
from . import conf
from .resolving import on_any_server
from .users import user_of_scope

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..web.options import WebOptions


class AmplitudeAIChannelsMiddleware:
    """Lends each connection a session: ``AuthMiddlewareStack(AmplitudeAIChannelsMiddleware(router))``.

    Settings and client are those of ``AMPLITUDE_AI``, and the user is the scope's. Resolvers get the scope;
    those that are written for requests are replaced by ``options``.

    Args:
        inner: The consumers around which this stands.
        options: What is decided otherwise here; see ``WebOptions``.

    Raises:
        ConfigurationError: An option does not exist or is of the wrong kind.
    """

    def __init__(self, inner: Application, **options: Unpack[WebOptions]) -> None:
        Policy.of(silent_client(), options)
        self.inner = inner
        self._options = options
        self._door: conf.Door | None = None
        self._watched: Application = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.inner
        with shielded("begin of connection"):
            app = self._as_the_settings_say()
        await app(scope, receive, send)

    def _as_the_settings_say(self) -> Application:
        door = conf.door()
        if door is not self._door:
            defaults = {"user_id_resolver": user_of_scope}
            policy = conf.own_settings().policy(door.ai, defaults, self._options)
            self._watched = _Watched(self.inner, on_any_server(policy))
            self._door = door
        return self._watched


class _Watched(AmplitudeAIMiddleware):
    """The ASGI middleware under one policy, whose resolvers get the scope as it is."""

    def __init__(self, app: Application, policy: Policy) -> None:
        self.app = app
        self.policy = policy

    async def _hear(self, conversation: RequestConversation) -> None:
        # Here, since the thread in which a synchronous consumer sends is not there for long.
        await conversation.await_answers()

    def _session(self, scope: Scope) -> RequestSession:
        return RequestSession(self.policy, lambda: scope, lambda: scope["headers"])
