"""Setting the extension up: settings, options, factories, several apps in one process."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator
from typing import Any

import flask
import pytest
from amplitude import Amplitude
from flask import Blueprint, Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from amplitude_ai_integrations import AmplitudeAI, MemorySink, MockAmplitudeAI
from amplitude_ai_integrations.exceptions import ConfigurationError
from amplitude_ai_integrations.flask import AmplitudeAIFlask
from amplitude_ai_integrations.schema.names import wire_name

from .flask_applications import Voice, build
from .reading import AGENT, Expected
from .wsgi_hosting import WsgiSite

pytest_plugins = ["tests.web.wsgi_fixtures"]


def app_with(**settings: Any) -> Flask:
    app = Flask("shop")
    app.config.update({f"AMPLITUDE_AI_{name}": value for name, value in settings.items()})
    return app


def complaint(app: Flask, *given: Any, **options: Any) -> str:
    with pytest.raises(ConfigurationError) as raised:
        AmplitudeAIFlask(app, *given, **options)
    assert "amplitude_ai" not in app.extensions
    assert app.wsgi_app == app.__class__.wsgi_app.__get__(app)
    return str(raised.value)


def user_of_settings(_: flask.Request) -> str:
    """Named by its dotted path below."""
    return "of-the-settings"


@pytest.fixture
def clients() -> Iterator[list[AmplitudeAI]]:
    """Clients to be shut down after the test."""
    made: list[AmplitudeAI] = []
    yield made
    for one in made:
        one.shutdown()


class TestSettings:
    def test_a_key_makes_a_client(self, clients: list[AmplitudeAI]) -> None:
        app = app_with(API_KEY="abc", SERVER_URL="http://127.0.0.1:9", CONTENT_MODE="metadata_only")
        clients.append(AmplitudeAIFlask(app).client)
        state = app.extensions["amplitude_ai"]
        assert state.client is clients[0]
        assert state.client.config.content_mode.value == "metadata_only"
        assert state.client.amplitude.configuration.api_key == "abc"

    def test_a_server_needs_no_key(self, clients: list[AmplitudeAI]) -> None:
        clients.append(AmplitudeAIFlask(app_with(SERVER_URL="http://127.0.0.1:9")).client)
        assert clients[0].amplitude.configuration.server_url == "http://127.0.0.1:9"

    def test_the_environment_says_what_the_settings_do_not(
        self, clients: list[AmplitudeAI], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AMPLITUDE_AI_SERVER_URL", "http://127.0.0.1:9")
        clients.append(AmplitudeAIFlask(Flask("shop")).client)
        assert clients[0].config.server_url == "http://127.0.0.1:9"

    def test_nothing_to_say_where_events_go_is_said_with_what_to_do(self) -> None:
        assert complaint(Flask("shop")) == (
            "AmplitudeAI needs somewhere to send events: pass amplitude= or api_key=, set AMPLITUDE_AI_API_KEY, "
            "or set AMPLITUDE_AI_SERVER_URL to a local `amplitude-ai analytics`. app.config takes these names "
            "too, before init_app(); or pass amplitude_ai=."
        )

    def test_a_client_may_be_a_setting(self, ai: AmplitudeAI) -> None:
        assert AmplitudeAIFlask(app_with(CLIENT=ai)).client is ai

    def test_options_may_be_settings_and_functions_dotted_paths(
        self, ai: AmplitudeAI, sink: MemorySink, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "shop_users", sys.modules[__name__])
        app = app_with(CLIENT=ai, AGENT_ID="seller", USER_ID_RESOLVER="shop_users.user_of_settings")
        app.add_url_rule("/", view_func=lambda: Voice(ai).speak() or "done")
        AmplitudeAIFlask(app)
        app.test_client().get("/").close()
        said = {(event["user_id"], event["event_properties"][wire_name("agent_id")]) for event in sink.events}
        assert said == {("of-the-settings", "seller")}

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            (
                {"USER_RESOLVER": print},
                "AMPLITUDE_AI_USER_RESOLVER is no setting. Did you mean AMPLITUDE_AI_USER_ID_RESOLVER?",
            ),
            ({"APIKEY": "abc"}, "AMPLITUDE_AI_APIKEY is no setting. Did you mean AMPLITUDE_AI_API_KEY?"),
            ({"CONTENT_MODE": "none"}, "AMPLITUDE_AI_CONTENT_MODE: content_mode is 'none'; use one of "),
            ({"API_KEY": 7}, "AMPLITUDE_AI_API_KEY: int is no key; give a text."),
            (
                {"USER_ID_RESOLVER": "no.such.function"},
                "AMPLITUDE_AI_USER_ID_RESOLVER is 'no.such.function', which cannot be imported",
            ),
            ({"EXCLUDE": "/health"}, "AMPLITUDE_AI_EXCLUDE: exclude must be a list of patterns"),
        ],
    )
    def test_a_wrong_setting_is_said_in_one_sentence(self, settings: dict[str, Any], words: str) -> None:
        assert complaint(app_with(SERVER_URL="http://127.0.0.1:9", **settings)).startswith(words)

    def test_settings_of_others_are_none_of_ours(self, ai: AmplitudeAI) -> None:
        app = Flask("shop")
        app.config.update(AMPLITUDE_KEY="x", AI_MODE="y")
        assert AmplitudeAIFlask(app, ai).client is ai


class TestCode:
    def test_a_client_in_code_wins_over_the_settings_destination(self, ai: AmplitudeAI) -> None:
        app = app_with(API_KEY="of-production", CLIENT="no.such.client", AGENT_ID="seller")
        assert AmplitudeAIFlask(app, ai).client is ai
        assert app.extensions["amplitude_ai"].policy.agent.agent_id == "seller"

    def test_a_setting_that_a_client_in_code_silences_is_said(
        self, ai: AmplitudeAI, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert AmplitudeAIFlask(app_with(CONTENT_MODE="metadata_only"), ai).client is ai
        assert [record.getMessage() for record in caplog.records] == [
            "AMPLITUDE_AI_CONTENT_MODE has no effect beside amplitude_ai=. Say it where that client is made."
        ]

    def test_an_official_client_will_do(self) -> None:
        client = Amplitude("key")
        try:
            assert AmplitudeAIFlask(Flask("shop"), client).client.amplitude.tracked_client is client
        finally:
            client.shutdown()

    @pytest.mark.parametrize("value", [object(), "api-key", AmplitudeAI])
    def test_anything_else_is_refused_by_the_arguments_name(self, value: Any) -> None:
        assert complaint(Flask("shop"), value).startswith("amplitude_ai= is ")

    def test_an_option_in_code_wins_over_the_setting(self, ai: AmplitudeAI) -> None:
        app = app_with(AGENT_ID="of-the-settings", ENV="live")
        AmplitudeAIFlask(app, ai, agent_id="of-the-code")
        agent = app.extensions["amplitude_ai"].policy.agent
        assert (agent.agent_id, agent.env) == ("of-the-code", "live")

    def test_an_unknown_option_is_named_beside_the_known_ones(self, ai: AmplitudeAI) -> None:
        assert complaint(Flask("shop"), ai, user_resolver=print).startswith(
            "'user_resolver' is no option of the middleware; did you mean 'user_id_resolver'? There are: agent, agent_id, "
        )

    @pytest.mark.parametrize("name", ["api_key", "content_mode", "client"])
    def test_a_setting_given_as_an_option_is_told_its_place(self, ai: AmplitudeAI, name: str) -> None:
        assert complaint(Flask("shop"), ai, **{name: "x"}) == (
            f"{name}= is a setting of the app: app.config['AMPLITUDE_AI_{name.upper()}'], before init_app()."
        )

    def test_setting_an_app_up_twice_is_refused(self, ai: AmplitudeAI) -> None:
        app = Flask("shop")
        extension = AmplitudeAIFlask(app, ai)
        stands = app.wsgi_app
        with pytest.raises(ConfigurationError) as raised:
            extension.init_app(app)
        assert str(raised.value) == (
            "The app 'shop' has an AmplitudeAIFlask already; AmplitudeAIFlask(app) calls init_app() by itself, "
            "so remove the second call."
        )
        assert app.wsgi_app is stands

    def test_an_app_that_has_served_already_may_be_set_up(self, ai: AmplitudeAI, sink: MemorySink) -> None:
        app = build(ai, tracked=False)
        assert app.test_client().get("/silent").text == "ok"
        AmplitudeAIFlask(app, ai, user_id_resolver=lambda request: request.args["u"])
        assert app.test_client().get("/streamed?u=ada").text == "one two"
        assert {event["user_id"] for event in sink.events} == {"ada"}

    def test_a_mock_sees_what_a_test_client_does(self) -> None:
        mock = MockAmplitudeAI()
        app = build(mock)
        with app.test_client() as client:
            assert client.get("/plain-sync").data == b"done"
        mock.assert_event_tracked("AI Response", agent_id=AGENT)

    def test_within_a_test_clients_block_the_request_stays_readable(self, ai: AmplitudeAI) -> None:
        with build(ai, user_id_resolver=lambda _: "ada").test_client() as client:
            client.get("/plain-sync?text=hi")
            assert flask.request.args["text"] == "hi"


def create_app(extension: AmplitudeAIFlask, name: str, client: AmplitudeAI | None = None) -> Flask:
    """A factory, as Flask's users write it."""
    app = Flask(name)
    app.config["AMPLITUDE_AI_AGENT_ID"] = name
    extension.init_app(app, client)
    pages = Blueprint("pages", __name__)

    @pages.get("/")
    def speaking() -> str:
        Voice(extension.client).speak()
        return name

    app.register_blueprint(pages)
    return app


class TestFactories:
    def test_one_extension_serves_several_apps_each_in_its_own_way(self) -> None:
        extension = AmplitudeAIFlask(env="test")
        sinks = {name: MemorySink() for name in ("one", "two")}
        apps = {name: create_app(extension, name, AmplitudeAI(sink=sink)) for name, sink in sinks.items()}
        for name, app in apps.items():
            assert app.test_client().get("/").text == name
        for name, sink in sinks.items():
            properties = [event["event_properties"] for event in sink.events]
            assert len(properties) == 3
            assert {one[wire_name("agent_id")] for one in properties} == {name}
            assert {one[wire_name("env")] for one in properties} == {"test"}

    def test_the_client_is_that_of_the_current_app(self) -> None:
        extension = AmplitudeAIFlask()
        clients = [AmplitudeAI(sink=MemorySink()) for _ in range(2)]
        apps = [create_app(extension, f"app-{n}", client) for n, client in enumerate(clients)]
        for app, client in zip(apps, clients, strict=True):
            with app.app_context():
                assert extension.client is client
                assert flask.current_app.extensions["amplitude_ai"].client is client
        with pytest.raises(ConfigurationError, match=r"ask within app\.app_context\(\)"):
            _ = extension.client

    def test_the_client_of_the_only_app_needs_no_context(self, ai: AmplitudeAI) -> None:
        assert AmplitudeAIFlask(Flask("shop"), ai).client is ai

    def test_a_client_before_any_app_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match=r"call init_app\(\) first"):
            _ = AmplitudeAIFlask().client

    def test_an_app_that_is_dropped_is_not_held(self, ai: AmplitudeAI) -> None:
        extension = AmplitudeAIFlask()
        app = create_app(extension, "dropped", ai)
        app.test_client().get("/").close()
        gone = weakref.ref(app)
        del app
        gc.collect()
        assert gone() is None

    def test_apps_mounted_beside_each_other_keep_apart(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        outer = build(ai, agent_id="outer", exclude=["^/none"])
        inner = build(ai, agent_id="inner", include=["^/inner/plain"])
        site = one_wsgi_site.install(DispatcherMiddleware(outer, {"/inner": inner}))
        for path in ("/plain-sync", "/inner/plain-sync", "/inner/two-messages"):
            assert site.get(path).text == "done"
        agents = [event["event_properties"].get(wire_name("agent_id")) for event in site.sink.events]
        assert agents == [*["outer"] * 3, *["inner"] * 3, *[None] * 4]

    def test_an_app_mounted_within_an_extended_one_speaks_in_its_session(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        asked: list[str] = []
        inner = build(ai, tracked=False)

        def more(app: Flask) -> None:
            mounted = DispatcherMiddleware(app.wsgi_app, {"/inner": inner})
            app.wsgi_app = mounted  # type: ignore[method-assign]

        outer = build(ai, more=more, user_id_resolver=lambda request: asked.append(request.script_root))
        site = one_wsgi_site.install(outer)
        assert site.get("/inner/streamed-with-context").text == "one two"
        expected = Expected()
        assert site.events == [*expected.exchange(), *expected.end()]
        assert asked == ["/inner"]

    def test_an_app_called_by_a_view_of_another_is_not_mistaken_for_it(
        self, one_wsgi_site: WsgiSite, ai: AmplitudeAI
    ) -> None:
        other = build(ai, tracked=False)

        def more(app: Flask) -> None:
            app.add_url_rule("/calling", view_func=lambda: other.test_client().get("/plain-sync").text)

        site = one_wsgi_site.install(build(ai, more=more, user_id_resolver=lambda request: request.args["u"]))
        assert site.get("/calling?u=ada").text == "done"
        expected = Expected().of_user("ada")
        assert site.events == [*expected.exchange(), *expected.end()]
