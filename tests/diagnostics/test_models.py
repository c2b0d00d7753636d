"""Model clients whose calls nobody sees are found, where they are made; observed ones are left alone."""

from __future__ import annotations

import pytest

import amplitude_ai_integrations
from amplitude_ai_integrations.diagnostics.project.classes import OURS as CLASSES
from amplitude_ai_integrations.diagnostics.project.classes import VENDORS

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
    assert [(one.state, one.words) for one in said(llm=other)] == [
        ("hint", "Anthropic is anthropic's own class: its calls are not seen.")
    ]


WRAP = "from amplitude_ai_integrations import wrap"


@pytest.mark.parametrize(
    ("text", "words", "fix"),
    [
        (
            "import anthropic\na = anthropic.AsyncAnthropic()\n",
            "AsyncAnthropic is anthropic's own class",
            "from amplitude_ai_integrations import AsyncAnthropic",
        ),
        (
            "from openai import AzureOpenAI\na = AzureOpenAI()\n",
            "AzureOpenAI is openai's own class",
            "from amplitude_ai_integrations import AzureOpenAI",
        ),
        (
            "from mistralai.client import Mistral\na = Mistral(api_key='k')\n",
            "Mistral is mistralai's own class",
            "from amplitude_ai_integrations import Mistral",
        ),
        (
            "import anthropic\na = anthropic.AnthropicVertex()\n",
            "AnthropicVertex is anthropic's own class",
            WRAP,
        ),
        ("from google import genai\na = genai.Client()\n", "Client is google.genai's own class", WRAP),
        ("import google.genai as g\na = g.Client()\n", "Client is google.genai's own class", WRAP),
        (
            "import boto3\na = boto3.client('bedrock-runtime')\n",
            "The bedrock-runtime client is boto3's own",
            WRAP,
        ),
        (
            "from boto3 import client\na = client(service_name='bedrock-runtime', region_name='x')\n",
            "The bedrock-runtime client is boto3's own",
            WRAP,
        ),
        (
            "import boto3\na = boto3.Session().client('bedrock-runtime')\n",
            "The bedrock-runtime client is boto3's own",
            WRAP,
        ),
    ],
)
def test_clients_of_each_vendor_are_found(said: Examined, text: str, words: str, fix: str) -> None:
    (found,) = said(llm=text)
    assert (found.state, found.words, found.place) == (
        "problem",
        f"{words}: its calls are not seen.",
        "llm.py:2",
    )
    lines = [line.partition("   #")[0] for line in found.fix.splitlines()]
    assert fix in lines
    assert "wrap(a, ai)" in lines or fix is not WRAP


@pytest.mark.parametrize(
    "text",
    [
        "import boto3\na = wrap(boto3.client('bedrock-runtime'), ai)\n",
        "import boto3\nruntime = boto3.Session().client('bedrock-runtime')\nwrap(runtime, ai)\n",
        "import boto3\nfrom amplitude_ai_integrations.providers.bedrock import Bedrock\na = Bedrock(ai, client=boto3.client('bedrock-runtime'))\n",
        "from google import genai\nclient = wrap(genai.Client(), ai)\n",
        "from google import genai\nfrom amplitude_ai_integrations.providers.gemini import Gemini\na = Gemini(ai, client=genai.Client())\n",
        "import boto3\nboto3.client('s3')\nopen('client').read('bedrock-runtime')\nwrap(x, ai)\n",
    ],
)
def test_clients_of_each_vendor_may_be_wrapped(said: Examined, text: str) -> None:
    assert {one.state for one in said(llm=OURS + text)} == {"ok"}


MADE = """import anthropic, boto3, openai
from google import genai
from mistralai.client import Mistral
clients = [anthropic.AsyncAnthropic(), boto3.client('bedrock-runtime'), openai.AzureOpenAI(), genai.Client()]
clients += [Mistral(), openai.OpenAI()]
"""


def test_one_line_observes_the_clients_of_all_files(said: Examined) -> None:
    found = said(
        llm=MADE, app="from amplitude_ai_integrations import AmplitudeAI, patch\npatch(AmplitudeAI())\n"
    )
    assert [(one.state, one.words, one.place) for one in found] == [
        ("ok", "patch() observes all clients of all providers.", "app.py:2")
    ]


def test_a_line_for_some_leaves_others_unseen(said: Examined) -> None:
    lines = "patch_openai(ai)\npatching.patch_bedrock()\npatching.patch_gemini()\n"
    found = said(llm=MADE, app=f"from amplitude_ai_integrations import patch_openai, patching\n{lines}")
    assert [one.words for one in found if one.state == "ok"] == [
        "patch_openai() observes all clients of OpenAI.",
        "patch_bedrock() observes all bedrock-runtime clients.",
        "patch_gemini() observes all clients of google.genai.",
    ]
    assert {(one.state, one.words.partition(" ")[0]) for one in found if one.state != "ok"} == {
        ("warning", "AsyncAnthropic"), ("warning", "AzureOpenAI"), ("warning", "Mistral"),
    }  # fmt: skip


def test_a_line_says_where_to_report_if_there_are_several(said: Examined) -> None:
    made = "from amplitude_ai_integrations import AmplitudeAI, patch\na = AmplitudeAI()\nb = AmplitudeAI()\n"
    assert [one.state for one in said(app=f"{made}patch(a)\n")] == ["ok"]
    found = said(app=f"{made}patch()\n")
    assert [one.state for one in found] == ["ok", "warning"]
    assert found[1].words.startswith(
        "patch is not told where to report: an error where a program makes several"
    )


def test_what_is_run_by_our_command_is_observed_there_alone(
    monkeypatch: pytest.MonkeyPatch, said: Examined
) -> None:
    monkeypatch.setenv("AMPLITUDE_AI_AUTO_PATCH", "true")
    found = said(llm="import openai\nopenai.OpenAI()\n")
    assert [(one.state, one.words) for one in found] == [
        ("ok", "AMPLITUDE_AI_AUTO_PATCH is on: what amplitude-ai-instrument runs is observed."),
        ("hint", "OpenAI is openai's own class: its calls are seen only below amplitude-ai-instrument."),
    ]


@pytest.mark.parametrize(
    ("package", "call", "name"),
    [
        ("openai", "client.beta.threads.runs.create(thread_id='t')", "the Assistants API"),
        ("openai", "client.realtime.connect(model='m')", "the Realtime API"),
        ("openai", "client.responses.connect()", "responses over a socket"),
        ("openai", "self.client.batches.create()", "batches"),
        ("anthropic", "client.messages.batches.results('b')", "batches"),
        ("google.genai", "client.aio.live.connect()", "the Live API"),
        ("google.genai", "client.batches.create()", "batches"),
        ("mistralai", "client.batch.jobs.create()", "batch jobs"),
    ],
)
def test_calls_that_no_client_shows_are_told_once(said: Examined, package: str, call: str, name: str) -> None:
    text = f"{OURS}import {package}\nclient = wrap(make(), ai)\n{call}\n{call}\n"
    found = said(llm=text)[1:]
    words = f"No client shows what becomes of {name} of {package}."
    assert [(one.state, one.words, one.place) for one in found] == [("hint", words, "llm.py:5")]
    by_hand = said(llm=f"{text}ai.track_ai_message('u', 'Hi', 's', 'm', 'openai', 1.0)\n")
    assert [one.state for one in by_hand] == ["ok"]


@pytest.mark.parametrize(
    "imported", ["amplitude_ai_integrations", "amplitude_ai_integrations.providers.openai"]
)
def test_calls_that_no_client_shows_are_told_of_our_own_classes_too(said: Examined, imported: str) -> None:
    text = f"from {imported} import OpenAI\nclient = OpenAI(ai)\nclient.batches.create()\n"
    assert [(one.state, one.words, one.place) for one in said(llm=text)] == [
        ("ok", "OpenAI is observed.", "llm.py:2"),
        ("hint", "No client shows what becomes of batches of openai.", "llm.py:3"),
    ]
    other = said(llm=text.replace("OpenAI", "Mistral").replace("providers.openai", "providers.mistral"))
    assert [one.state for one in other] == ["ok"]


def test_our_classes_are_those_that_we_export() -> None:
    exported = set(amplitude_ai_integrations.__all__)
    assert set(CLASSES) <= exported
    assert exported & {name for names in VENDORS.values() for name in names} <= set(CLASSES)


@pytest.mark.parametrize("name", ["AnthropicBedrock", "AsyncAnthropicVertex"])
def test_a_class_that_we_do_not_have_is_a_problem(said: Examined, name: str) -> None:
    text = f"from amplitude_ai_integrations import AmplitudeAI, {name}\nai = AmplitudeAI()\n"
    (found,) = said(llm=f"{text}a = {name}(amplitude=ai)\n")
    assert (found.state, found.words, found.place) == (
        "problem", f"amplitude_ai_integrations has no {name}.", "llm.py:3",
    )  # fmt: skip
    assert found.fix.splitlines() == [
        WRAP,
        f"from anthropic import {name}   # it is the vendor's alone",
        f"a = wrap({name}(...), ai)   # or, for all clients: patch(ai)",
    ]


@pytest.mark.parametrize(
    "made",
    ["anthropic.AsyncAnthropicBedrock", "anthropic.AnthropicFoundry", "openai.BedrockOpenAI"],
)
def test_the_vendors_other_classes_are_wrapped_or_patched(said: Examined, made: str) -> None:
    package, _, name = made.partition(".")
    (found,) = said(llm=f"import {package}\na = {made}()\n")
    assert found.words == f"{name} is {package}'s own class: its calls are not seen."
    assert found.fix.splitlines()[-2:] == [
        "wrap(a, ai)   # below the line that makes it", "# or, for all clients of the program: patch(ai)",
    ]  # fmt: skip
    line = f"patch_{package}"
    patched = f"from amplitude_ai_integrations import {line}\n{line}(ai)\nimport {package}\na = {made}()\n"
    assert [one.state for one in said(llm=patched)] == ["ok"]


@pytest.mark.parametrize("line", ["OpenAI()", "OpenAI(timeout=1)", "patch()"])
def test_what_has_nowhere_to_report_to_is_a_problem(said: Examined, line: str) -> None:
    name, _, more = line.removesuffix(")").partition("(")
    target = "" if name == "patch" else "a = "
    text = f"from amplitude_ai_integrations import {name}\n{target}{line}\n"
    (found,) = said(llm=text)
    assert (found.state, found.words, found.place) == (
        "problem",
        f"{name} raises ConfigurationError: no AmplitudeAI is made here for it to report to.",
        "llm.py:2",
    )
    assert found.fix.splitlines() == [
        "from amplitude_ai_integrations import AmplitudeAI",
        "ai = AmplitudeAI()",
        f"{target}{name}({'..., ' if more else ''}amplitude=ai)",
    ]
    for there in ("OpenAI(ai)", "wrap(client, ai)", "OpenAI(**options)"):
        told = f"from amplitude_ai_integrations import OpenAI, wrap\n{there}\n"
        assert {one.state for one in said(llm=text, other=told)} == {"ok"}
    made = "from amplitude_ai_integrations import MockAmplitudeAI\nai = MockAmplitudeAI()\n"
    assert [one.state for one in said(llm=text, other=made)] == ["ok"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("import aioboto3\nasync def f():\n    async with s.client('bedrock-runtime') as c: ...\n", 3),
        ("import boto3, aioboto3\nasync def f():\n    async with s.client('bedrock-runtime') as c: ...\n", 3),
        ("import aiobotocore.session\nc = enter(s.create_client('bedrock-runtime'))\nwrap(c, ai)\n", 2),
    ],
)
def test_an_asynchronous_client_of_bedrock_is_tracked_by_hand(said: Examined, text: str, place: int) -> None:
    found = [one for one in said(llm=text) if one.state != "ok"]
    words = (
        "An asynchronous bedrock-runtime client can be neither wrapped nor patched: its calls are not seen."
    )
    assert [(one.words, one.place) for one in found] == [(words, f"llm.py:{place}")]
    assert found[0].fix.startswith("Track it by hand")
    patched = "from amplitude_ai_integrations import AmplitudeAI, patch\nai = AmplitudeAI()\npatch(ai)\n"
    assert words in [one.words for one in said(llm=text, app=patched)]
    by_hand = said(llm=f"{text}ai.track_ai_message('u', 'Hi', 's', 'm', 'bedrock', 1.0)\n")
    assert words not in [one.words for one in by_hand]


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("import openai\nopenai.chat.completions.create()\n", "openai.chat.completions.create"),
        ("import openai as o\no.responses.create()\no.responses.create()\n", "openai.responses.create"),
        ("from openai import embeddings\nembeddings.create()\n", "openai.embeddings.create"),
    ],
)
def test_the_client_of_the_vendors_module_is_seen_if_patched(said: Examined, text: str, called: str) -> None:
    (found,) = said(llm=text)
    words = f"{called}() is a call of openai's own client: its calls are not seen."
    assert (found.state, found.words, found.place) == ("problem", words, "llm.py:2")
    assert found.fix.splitlines()[-1] == "patch(ai)   # above the first call"
    for line in ("patch", "patch_openai"):
        patched = f"from amplitude_ai_integrations import {line}\n{line}(ai)\n"
        assert [one.state for one in said(llm=text, app=patched)] == ["ok"]


@pytest.mark.parametrize(
    "text",
    [
        "import openai\nopenai = make()\nopenai.chat.completions.create()\n",
        "import openai\ndef f(openai):\n    openai.chat.completions.create()\n",
        "import openai.types\nclient.chat.completions.create()\n",
    ],
)
def test_a_client_of_the_modules_name_is_not_the_modules(said: Examined, text: str) -> None:
    assert [one.words.partition(" ")[0] for one in said(llm=text)] == ["No"]


def test_litellm_is_observed_by_its_callback(said: Examined) -> None:
    text = "from litellm import completion\ncompletion(model='m', messages=[])\ncompletion(model='n')\n"
    (found,) = said(llm=text)
    assert (found.state, found.words, found.place) == (
        "problem", "litellm.completion is litellm's own: its calls are not seen.", "llm.py:2",
    )  # fmt: skip
    assert "litellm.callbacks.append(AmplitudeLiteLLM(ai))   # docs/gateways.md" in found.fix.splitlines()
    made = found.fix.partition("   #")[0] + "\n"
    assert [(one.state, one.words) for one in said(llm=made + text)] == [
        ("ok", "AmplitudeLiteLLM() observes all calls of litellm.")
    ]


def test_what_is_observed_is_named_or_counted(said: Examined) -> None:
    lines = ["wrap(client, ai)", "wrap(client=self.client)", "wrap(openai.OpenAI(), ai)", "wrap(all[0], ai)"]
    words = [said(llm=f"{OURS}{line}\n")[0].words for line in lines]
    assert words == [
        "client is observed.", "self.client is observed.", "openai.OpenAI() is observed.",
        "A wrapped client is observed.",
    ]  # fmt: skip
    assert said(llm=OURS + "\n".join(lines))[0].words == "4 clients are observed."


def test_a_fix_names_the_module_that_the_file_imports_from(said: Examined) -> None:
    for home in ("mistralai", "mistralai.client"):
        (found,) = said(llm=f"from {home} import Mistral\na = Mistral()\n")
        line = f"from amplitude_ai_integrations import Mistral   # instead of: from {home} import Mistral"
        assert line in found.fix.splitlines()


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
