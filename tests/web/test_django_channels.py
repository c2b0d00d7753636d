"""WebSockets of Django Channels on a real server: each has a session, each message a trace, and one end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.exceptions import DenyConnection
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from channels.routing import URLRouter
from django.test import Client
from django.urls import path
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from amplitude_ai_integrations import AmplitudeAI, ConfigurationError, MemorySink
from amplitude_ai_integrations.django import AmplitudeAIChannelsMiddleware

from .django_hosting import Server
from .django_site import User
from .django_views import speak
from .reading import AGENT, Expected, told

pytest_plugins = ["tests.web.django_fixtures"]

FAILED = {"is_error": True, "error_type": "LookupError"}


class Chat(AsyncWebsocketConsumer):
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        speak(text_data or "")
        await self.send(f"you said {text_data}")


class ChatInThreads(WebsocketConsumer):
    def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        speak(text_data or "")
        self.send(f"you said {text_data}")


class Echo(AsyncWebsocketConsumer):
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.send(text_data)


class Failing(AsyncWebsocketConsumer):
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        speak(text_data or "")
        raise LookupError("in the chat")


class Denying(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        raise DenyConnection


class Closing(AsyncWebsocketConsumer):
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        speak(text_data or "")
        await self.close()


ROUTES = {
    "chat": Chat, "threads": ChatInThreads, "echo": Echo, "failing": Failing, "denying": Denying,
    "closing": Closing,
}  # fmt: skip
CHATTING = ["chat", "threads"]


def name_in_database(scope: Any) -> str:
    return User.objects.get(pk=scope["user"].pk).username


async def name_in_database_async(scope: Any) -> str:
    return await sync_to_async(name_in_database)(scope)


def conversation(scope: Any) -> str:
    return dict(scope["headers"])[b"x-thread"].decode()


class Sockets:
    """Consumers on uvicorn, a visitor, and the events that come of it."""

    def __init__(self, server: Server, sink: MemorySink) -> None:
        self.server, self.sink = server, sink
        self.headers: dict[str, str] = {}

    def open(self, **options: Any) -> None:
        router = URLRouter([path(name, consumer.as_asgi()) for name, consumer in ROUTES.items()])
        self.server.host.app = AuthMiddlewareStack(AmplitudeAIChannelsMiddleware(router, **options))
        self.server.host.errors = []

    def sign_in(self, user: Any) -> None:
        visitor = Client()
        visitor.force_login(user)
        self.headers["cookie"] = f"sessionid={visitor.cookies['sessionid'].value}"

    def connect(self, name: str) -> ClientConnection:
        url = self.server.url.replace("http", "ws", 1)
        return connect(f"{url}/{name}", additional_headers=self.headers)

    def say(self, name: str, *texts: str) -> list[str]:
        with self.connect(name) as connection:
            heard = []
            for text in texts:
                connection.send(text)
                heard.append(str(connection.recv()))
        self.server.wait_until_idle()
        return heard

    @property
    def events(self) -> list[dict[str, Any]]:
        self.server.wait_until_idle()
        return told(self.sink.events)


@pytest.fixture
def sockets(
    django_servers: dict[str, Server], ai: AmplitudeAI, sink: MemorySink, override: Any
) -> Iterator[Sockets]:
    override(AMPLITUDE_AI={"CLIENT": ai, "AGENT_ID": AGENT})
    opened = Sockets(django_servers["uvicorn"], sink)
    opened.open()
    return opened


@pytest.mark.parametrize("name", CHATTING)
class TestChats:
    def test_each_message_is_a_trace_and_the_disconnect_ends_the_session_once(
        self, sockets: Sockets, name: str
    ) -> None:
        assert sockets.say(name, "one", "two") == ["you said one", "you said two"]
        expected = Expected()
        assert sockets.events == [*expected.exchange("one"), *expected.exchange("two"), *expected.end()]
        assert sockets.server.host.errors == []

    def test_the_user_is_whom_channels_has_signed_in(self, sockets: Sockets, ada: Any, name: str) -> None:
        sockets.sign_in(ada)
        sockets.say(name, "one")
        expected = Expected().of_user(str(ada.pk))
        assert sockets.events == [*expected.exchange("one"), *expected.end()]

    @pytest.mark.parametrize("resolver", [name_in_database, name_in_database_async])
    def test_a_resolver_gets_the_scope_and_may_ask_the_database(
        self, sockets: Sockets, ada: Any, name: str, resolver: Any
    ) -> None:
        sockets.open(user_id_resolver=resolver)
        sockets.sign_in(ada)
        sockets.say(name, "one", "two")
        expected = Expected().of_user(ada.username)
        assert sockets.events == [*expected.exchange("one"), *expected.exchange("two"), *expected.end()]

    def test_a_conversation_outlives_its_connections(self, sockets: Sockets, name: str) -> None:
        sockets.open(session_id_resolver=conversation)
        sockets.headers["x-thread"] = f"thread-of-{name}"
        sockets.say(name, "one")
        sockets.say(name, "two")
        expected = Expected(f"thread-of-{name}")
        assert sockets.events == [*expected.exchange("one"), *expected.exchange("two")]


class TestEnds:
    def test_a_connection_in_which_no_agent_speaks_emits_nothing(self, sockets: Sockets) -> None:
        assert sockets.say("echo", "one") == ["one"]
        assert sockets.events == []

    def test_a_connection_that_is_denied_emits_nothing(self, sockets: Sockets) -> None:
        with pytest.raises(InvalidStatus):
            sockets.say("denying", "one")
        assert sockets.events == []

    def test_an_error_of_the_consumer_is_the_servers_and_the_sessions(self, sockets: Sockets) -> None:
        with sockets.connect("failing") as connection:
            connection.send("one")
            with pytest.raises(ConnectionClosed):
                connection.recv()
        expected = Expected()
        assert sockets.events == [*expected.exchange("one"), *expected.end(**FAILED)]
        assert [repr(error) for error in sockets.server.host.errors] == ["LookupError('in the chat')"]

    def test_a_consumer_that_closes_ends_the_session(self, sockets: Sockets) -> None:
        with sockets.connect("closing") as connection:
            connection.send("one")
            with pytest.raises(ConnectionClosedOK):
                connection.recv()
        expected = Expected()
        assert sockets.events == [*expected.exchange("one"), *expected.end()]

    def test_without_a_client_the_chat_goes_on(self, sockets: Sockets, override: Any) -> None:
        override(AMPLITUDE_AI=None)
        assert sockets.say("chat", "one") == ["you said one"]
        assert sockets.events == []

    def test_an_option_that_does_not_exist_is_said_at_once(self) -> None:
        with pytest.raises(ConfigurationError, match="'session_resolver' is no option"):
            AmplitudeAIChannelsMiddleware(URLRouter([]), session_resolver=conversation)
