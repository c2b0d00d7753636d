"""Model clients whose calls nobody sees are found, where they are made; observed ones are left alone."""

from __future__ import annotations

import pytest

from .conftest import Examined

OURS = "from amplitude_ai_integrations import AmplitudeAI, OpenAI, wrap\nai = AmplitudeAI()\n"
FIX = "from amplitude_ai_integrations import OpenAI   # instead of: from openai import OpenAI"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("from openai import OpenAI\nclient = OpenAI()\n", 2),
        ("import openai\n\n\ndef ask():\n    return openai.OpenAI().chat\n", 5),
        ("import openai as o\nclient: object = o.OpenAI(api_key='k')\n", 2),
        ("import openai.types\nopenai.OpenAI()\n", 2),
        ("def f():\n    from openai import OpenAI as Model\n    with Model() as client: ...\n", 3),
    ],
)
def test_the_vendors_own_client_is_not_seen(said: Examined, text: str, place: int) -> None:
    (found,) = said(llm=text)
    assert (found.state, found.words, found.place) == (
        "problem", "OpenAI is openai's own class: its calls are not seen.", f"llm.py:{place}",
    )  # fmt: skip
    assert FIX in found.fix.splitlines()


@pytest.mark.parametrize(
    "text",
    [
        "from openai import AsyncOpenAI\nclient = AsyncOpenAI()\nwrap(client, ai)\n",
        "import openai\nclient = wrap(openai.OpenAI(), ai)\n",
        "import openai\nclass Service:\n    def __init__(self):\n        self.client = openai.OpenAI()\n        wrap(self.client, ai)\n",
        "import openai\ndef make():\n    return openai.OpenAI()\nclient = wrap(make(), ai)\n",
        "import openai\nservice = Service(client=openai.OpenAI())\nwrap(service.client, ai)\n",
        "client = OpenAI(amplitude=ai)\n",
        "import openai\nwith openai.OpenAI() as client:\n    wrap(client, ai)\n",
        "import openai\nclient: object = openai.OpenAI()\nwrap(client, ai)\n",
        "import openai\nif client := openai.OpenAI():\n    wrap(client, ai)\n",
        "import openai\nclient = openai.OpenAI() if key else None\nwrap(client, ai)\n",
    ],
)
def test_a_client_that_is_ours_or_wrapped_is_observed(said: Examined, text: str) -> None:
    (found,) = said(llm=OURS + text)
    assert found.state == "ok"
    assert found.words.endswith("is observed.")


def test_a_client_may_be_wrapped_in_another_file(said: Examined) -> None:
    made = "from openai import OpenAI\nmodel_client = OpenAI()\n"
    found = said(llm=made, app=OURS + "import llm\nwrap(llm.model_client, ai)\n")
    assert [one.state for one in found] == ["ok"]


def test_one_client_of_several_that_is_forgotten_is_a_warning(said: Examined) -> None:
    text = OURS + "import openai\na = wrap(openai.OpenAI(), ai)\nb = openai.OpenAI()\n"
    found = said(llm=text)
    assert [(one.state, one.place) for one in found] == [("ok", "llm.py:4"), ("warning", "llm.py:5")]
    assert found[1].fix.splitlines()[1:] == [
        "b = OpenAI(amplitude=ai)", "# or, for a client made elsewhere: wrap(b, ai)",
    ]  # fmt: skip


def test_calls_tracked_by_hand_are_seen(said: Examined) -> None:
    text = (
        OURS
        + "import openai\nclient = openai.OpenAI()\nai.track_ai_message('u', 'Hi', 's', 'm', 'openai', 1.0)\n"
    )
    assert [one.state for one in said(llm=text)] == ["hint"]
    other = text.replace("import openai", "import anthropic").replace("openai.OpenAI", "anthropic.Anthropic")
    assert [one.words for one in said(llm=other)] == [
        "No web application, no model client and no session was found."
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "import anthropic\na = anthropic.Anthropic()\nb = anthropic.Anthropic()\n",
            "Anthropic of anthropic",
        ),
        ("from openai import AzureOpenAI\na = AzureOpenAI()\n", "AzureOpenAI of openai"),
        ("from google import genai\na = genai.Client()\n", "Client of google.genai"),
        ("import google.genai as g\na = g.Client()\n", "Client of google.genai"),
    ],
)
def test_a_client_that_cannot_be_observed_yet_is_said_once(said: Examined, text: str, name: str) -> None:
    (found,) = said(llm=text)
    assert (found.state, found.words) == ("hint", f"{name} cannot be observed yet: its calls are not seen.")


def test_names_of_others_are_no_model_clients(said: Examined) -> None:
    assert [
        one.state for one in said(llm="from mine import OpenAI  # openai\nimport openai\nOpenAI()\n")
    ] == ["hint"]


def test_sessions_and_tools_are_told(said: Examined) -> None:
    text = (
        OURS + "from amplitude_ai_integrations import tool\n@tool\ndef find(): ...\nagent = ai.agent('a')\n"
    )
    found = said(app=text + "with agent.session(): ...\nwith ai.agent('b').session(): ...\n")
    assert [(one.state, one.words, one.place) for one in found] == [
        ("ok", "Sessions are opened by hand, in 2 places.", "app.py:7"),
        ("ok", "Tools and steps are decorated.", "app.py:4"),
    ]


def test_a_project_with_nothing_gets_the_first_step(said: Examined) -> None:
    (found,) = said(app="print('Hello')\n", more="")
    assert found.words == "No web application, no model client and no session was found in 2 files."
    compile(found.fix, "the first step", "exec")
    assert 'with ai.agent("my-agent").session(user_id="user-1"):' in found.fix
