"""Where spans stand: parents come after their children, and every tree is whole all the same."""

from __future__ import annotations

import threading
import time
import uuid

import openai

from amplitude_ai_integrations import (
    AmplitudeAI,
    OpenAI,
    current_session,
    inject_context,
    keep_session,
    observe,
    tool,
)
from amplitude_ai_integrations.calls.facts import RequestFacts, ResponseFacts
from amplitude_ai_integrations.frameworks.otel_out.tree import Trees
from amplitude_ai_integrations.frameworks.otel_sink import AmplitudeSpanSink
from amplitude_ai_integrations.frameworks.watching import Watching

from ...fakes.openai_server import OpenAIServer
from ...fakes.otlp_server import OTLPServer


def test_a_session_by_hand_is_an_exchange_of_agents(ai: AmplitudeAI, collector: OTLPServer) -> None:
    with ai.agent("bot").session("s-1", user_id="user-1") as session:
        session.track_user_message("Weather?")
        session.track_ai_message("", "gpt-4o", "openai", 30.0, tool_calls=[_call("get_weather")])
        session.track_tool_call("get_weather", 20.0, True, output="sunny")
        with session.run_as(ai.agent("writer")) as writer:
            writer.track_ai_message("It shines.", "claude-sonnet-4", "anthropic", 5.0)
        session.track_embedding("text-embedding-3-small", "openai", 3.0, input_tokens=4)
    ai.flush(5)

    assert _parents(collector) == {
        "exchange": None,
        "invoke_agent bot": "exchange",
        "chat gpt-4o": "invoke_agent bot",
        "execute_tool get_weather": "invoke_agent bot",
        "invoke_agent writer": "invoke_agent bot",
        "chat claude-sonnet-4": "invoke_agent writer",
        "embeddings text-embedding-3-small": "invoke_agent bot",
    }
    asking = collector.named("chat gpt-4o")
    assert collector.named("execute_tool get_weather").links == [asking.span_id]
    assert collector.named("exchange").started == min(span.started for span in collector.spans)
    assert collector.named("exchange").ended == max(span.ended for span in collector.spans)


def test_each_part_is_in_the_step_around_it(
    ai: AmplitudeAI, collector: OTLPServer, model: OpenAIServer
) -> None:
    client = OpenAI(amplitude=ai, base_url=f"{model.address}/v1", api_key="k")

    @tool
    def search(query: str) -> str:
        return query

    @observe
    def research(question: str) -> str:
        search(question)
        return _ask(client, question)

    @observe(type="agent", name="analyst")
    def analyst(question: str) -> str:
        research(question)
        time.sleep(0.002)
        return _ask(client, question)

    with ai.agent("bot").session("s-1", user_id="user-1"):
        analyst("Hello")
    ai.flush(5)

    assert collector.tree() == [
        "exchange",
        "  invoke_agent analyst",
        "    research",
        "      execute_tool search",
        "      chat gpt-4o",
        "    chat gpt-4o",
    ]


def test_agents_of_one_name_that_work_at_once_do_not_mix(ai: AmplitudeAI, collector: OTLPServer) -> None:
    both = threading.Barrier(2)

    @observe(type="agent", name="worker")
    def worker(model: str) -> None:
        session = current_session()
        assert session is not None
        both.wait(5)
        session.track_ai_message("one", model, "openai", 1.0)
        both.wait(5)
        session.track_ai_message("two", model, "openai", 1.0)

    with ai.agent("bot").session("s-1", user_id="user-1"):
        threads = [threading.Thread(target=keep_session(worker), args=(name,)) for name in ("gpt-a", "gpt-b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    ai.flush(5)

    workers = [span for span in collector.spans if span.name == "invoke_agent worker"]
    models = {
        span.span_id: {child.name for child in collector.spans if child.parent_id == span.span_id}
        for span in workers
    }
    assert sorted(map(sorted, models.values())) == [["chat gpt-a"], ["chat gpt-b"]]


def test_what_a_framework_tells_stands_in_its_runs(ai: AmplitudeAI, collector: OTLPServer) -> None:
    watching = Watching("Test()", ai, {"user_id": "user-1"})
    watching.agent("a", None, "planner", asked="Plan.")
    for sub in ("b1", "b2"):  # two of one name, at once
        watching.agent(sub, "a", "worker")
    for sub in ("b1", "b2"):
        watching.step(f"{sub}-step", sub, f"step {sub}")
        watching.call(f"{sub}-call", f"{sub}-step", RequestFacts("openai", f"gpt-{sub}"))
        watching.answered(f"{sub}-call", ResponseFacts(text="Hi"))
        watching.tool(f"{sub}-tool", sub, f"tool-{sub}")
        watching.ended(f"{sub}-tool", "done")
        watching.ended(f"{sub}-step")
    for run in ("b2", "b1", "a"):
        watching.ended(run)
    ai.flush(5)

    by_id = {span.span_id: span for span in collector.spans}

    def path(name: str) -> list[str]:
        span, names = collector.named(name), []
        while span.parent_id:
            span = by_id[span.parent_id]
            names.append(span.name)
        return names

    above = ["invoke_agent worker", "invoke_agent planner", "exchange"]
    for sub in ("b1", "b2"):
        assert path(f"chat gpt-{sub}") == [f"step {sub}", *above]
        assert path(f"execute_tool tool-{sub}") == above
        assert (
            collector.named(f"execute_tool tool-{sub}").parent_id == collector.named(f"step {sub}").parent_id
        )
    assert [span.name for span in collector.spans if span.attributes.get("amplitude.derived")] == ["exchange"]


def test_numbers_follow_from_our_ids(ai: AmplitudeAI, collector: OTLPServer) -> None:
    with ai.agent("bot").session("s-1", user_id="user-1") as session:
        session.track_ai_message("Hi", "gpt-4o", "openai", 1.0)
        sent = inject_context({})["traceparent"]
        trace_id = session.trace_id
    ai.track_span("user-1", "imported", "trace of ours", 1.0, session_id="s-2", span_id="00f067aa0ba902b7")
    ai.flush(5)

    chat, imported = collector.named("chat gpt-4o"), collector.named("imported")
    assert chat.trace_id == sent.split("-")[1] == uuid.UUID(trace_id).hex
    assert imported.span_id == "00f067aa0ba902b7"
    with ai.agent("bot", trace_id="trace of ours").session("s-2", user_id="user-1"):
        assert imported.trace_id == inject_context({})["traceparent"].split("-")[1]


def test_a_late_part_finds_its_exchange_which_is_told_once(
    ai: AmplitudeAI, collector: OTLPServer, spans: AmplitudeSpanSink
) -> None:
    with ai.agent("bot").session("s-1", user_id="user-1") as session:
        session.track_ai_message("Hi", "gpt-4o", "openai", 1.0)
        trace_id = session.trace_id
        ai.flush(5)
        session.track_ai_message("Later", "gpt-4o-mini", "openai", 1.0)
        ai.track_ai_message("user-1", "New", "s-1", "gpt-5", "openai", 1.0, trace_id=trace_id, agent_id="new")
    ai.flush(5)
    ai.score("user-1", "good", 1.0, "s-1", target_type="session", session_id="s-1", trace_id=trace_id)
    ai.flush(5)

    assert [span.name for span in collector.spans].count("exchange") == 1
    root, agent = collector.named("exchange"), collector.named("invoke_agent bot")
    assert collector.named("chat gpt-4o-mini").parent_id == agent.span_id
    assert collector.named("chat gpt-5").parent_id == root.span_id
    assert collector.named("evaluation good").parent_id == root.span_id


def test_a_judgement_hangs_on_what_it_judges(ai: AmplitudeAI, collector: OTLPServer) -> None:
    with ai.agent("bot").session("s-1", user_id="user-1") as session:
        session.track_user_message("One")
        judged = session.track_ai_message("Hi", "gpt-4o", "openai", 1.0)
        session.track_user_message("Two, in a trace of its own")
    ai.score("user-1", "helpful", 0.5, judged, comment="Because.")
    ai.flush(5)

    judgement, chat = collector.named("evaluation helpful"), collector.named("chat gpt-4o")
    assert (judgement.trace_id, judgement.parent_id) == (chat.trace_id, chat.span_id)
    assert judgement.events == [
        (
            "gen_ai.evaluation.result",
            {
                "gen_ai.evaluation.name": "helpful",
                "gen_ai.evaluation.score.value": 0.5,
                "gen_ai.evaluation.explanation": "Because.",
            },
        )
    ]


def test_agents_that_hand_over_to_each_other_hang_on_the_exchange(
    ai: AmplitudeAI, collector: OTLPServer
) -> None:
    for agent, parent in (("a", "b"), ("b", "a")):
        ai.track_ai_message(
            "user-1",
            "Hi",
            "s-1",
            "gpt-4o",
            "openai",
            trace_id="t-1",
            agent_id=agent,
            parent_agent_id=parent,
        )
    ai.flush(5)
    root = collector.named("exchange")
    assert {collector.named(f"invoke_agent {name}").parent_id for name in "ab"} == {root.span_id}


def test_no_more_traces_are_open_than_the_limit() -> None:
    trees = Trees(limit=3)
    told = [span for number in range(10) for span in trees.take(_event(f"t-{number}"))]
    assert len(trees) == 3
    assert [span.name for span in told].count("exchange") == 7
    assert [span.name for span in trees.finish()].count("exchange") == 3
    assert len(trees) == 0


def _event(trace_id: str) -> dict[str, object]:
    properties = {"[Agent] Trace ID": trace_id, "[Agent] Message ID": trace_id, "[Agent] Agent ID": "bot"}
    return {"event_type": "[Agent] AI Response", "time": 1, "event_properties": properties}


def _ask(client: openai.OpenAI, text: str) -> str:
    answer = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text}])
    return answer.choices[0].message.content or ""


def _call(name: str) -> dict[str, object]:
    return {"type": "function", "id": "call_1", "function": {"name": name, "arguments": "{}"}}


def _parents(collector: OTLPServer) -> dict[str, str | None]:
    names = {span.span_id: span.name for span in collector.spans}
    assert len(names) == len(collector.spans), "a span was told twice"
    return {span.name: names[span.parent_id] if span.parent_id else None for span in collector.spans}
