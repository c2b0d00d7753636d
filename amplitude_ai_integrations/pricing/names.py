"""Where a model's price stands: whose price list, and under which name there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# Sellers by their ids in the price list, each with the other labels they go by.
_SELF_HOSTED: Final = "self-hosted"
_LABELS: Final = {
    "anthropic": "",
    "aws": "amazon amazon-bedrock aws-bedrock bedrock bedrock-converse",
    "azure": "az-ai-inference az-ai-openai azure-ai azure-ai-inference azure-ai-openai azure-openai",
    "cerebras": "",
    "cloudflare": "@cf workers-ai",
    "cohere": "cohere-chat",
    "databricks": "",
    "deepseek": "",
    "fireworks": "fireworks-ai",
    "google": "gcp-gemini gcp-gen-ai gcp-vertex-ai gemini google-genai google-gla google-vertex"
    " google-vertexai vertex vertex-ai vertexai",
    "groq": "",
    "minimax": "",
    "mistral": "mistral-ai mistralai",
    "moonshotai": "moonshot",
    "novita": "novita-ai",
    "openai": "openai-chat openai-responses",
    "openrouter": "",
    "perplexity": "perplexity-ai",
    "together": "together-ai",
    "voyageai": "voyage",
    "x-ai": "grok xai",
    "zai": "z-ai",
    "zhipuai": "zhipu",
    _SELF_HOSTED: "hosted-vllm llama-cpp llamacpp llamafile lm-studio lmstudio local localai ollama"
    " ollama-chat sglang vllm",
}
_SELLERS: Final = {label: seller for seller, more in _LABELS.items() for label in (seller, *more.split())}

_MAKERS: Final = re.compile(
    r"(?P<openai>gpt-(?!oss)|chatgpt-|o\d(?![a-z0-9])|text-embedding-|whisper-|tts-|davinci|babbage|computer-use)"
    r"|(?P<anthropic>claude)|(?P<google>gemini)|(?P<xai>grok)|(?P<cohere>command|embed-|rerank-)"
    r"|(?P<perplexity>sonar)|(?P<voyage>voyage-)|(?P<deepseek>deepseek)|(?P<moonshot>kimi|moonshot)"
    r"|(?P<minimax>minimax)|(?P<mistral>(?:open-)?mi[sx]tral|codestral|ministral|magistral|devstral|pixtral)"
)
# Others host these too, at prices of their own.
_OPEN: Final = re.compile(r"deepseek|kimi|minimax|mixtral|open-mistral|mistral-(?:7b|nemo)")

# us.anthropic.claude-sonnet-4-20250514-v1:0
_BEDROCK: Final = re.compile(
    r"(?:[a-z-]+\.)?(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshotai|nvidia|openai"
    r"|qwen|writer|zai)\.(?P<name>[^:]+)(?::.+)?"
)

# An Azure deployment may have any name, as prod-gpt-4o-eu; these words in it mean another model than gpt-4o.
_DEPLOYED: Final = re.compile(r"(?<![a-z0-9])(?:gpt[-_]?\d|o\d(?![a-z0-9])|text-embedding-)")
_VARIANTS: Final = re.compile(
    r"(?:audio|codex|custom|deep|distill|finetuned?|flash|ft|high|image|instruct|lite|max|micro|mini|nano|oss"
    r"|preview|pro|realtime|research|search|transcribe|tts|tuned|turbo|vision|\d.*)"
)
_MOST_HEADS: Final = 10  # vertex_ai/projects/p/locations/l/publishers/google/models/m has eight
_TAGS_AT_THE_SAME_PRICE: Final = ("beta", "extended", "thinking")


def infer_provider(model_name: str | None, default: str | None = None) -> str | None:
    """Return who sells a model, told from its name: the seller before it, or else its maker.

    The ids are those of ``genai-prices``: ``openai``, ``anthropic``, ``google``, ``aws``, ``x-ai`` and so on.
    A name that tells nothing gives ``default``.
    """
    if not isinstance(model_name, str):
        return default
    heads, names = _split(model_name.strip().lower())
    named = (seller for head in heads if (seller := _seller(head)) in _LABELS)
    return next(named, None) or _maker(names[-1]) or default


def strip_provider_prefix(model_name: str | None) -> str:
    """Return a model's name without the sellers before it: ``gpt-4o`` of ``openrouter/openai/gpt-4o``."""
    if not isinstance(model_name, str):
        return ""
    heads, names = _split(model_name)
    foreign = (at for at, head in enumerate(heads) if _seller(head) not in _LABELS)
    return names[next(foreign, -1)]


def candidates(model: str, provider: str | None) -> Iterator[tuple[str, str]]:
    """Yield the places where a model's price may stand, the best first: a seller and a name in its list.

    Those who are named come first, from the outside in, then the model's maker. Open models cost what their
    host asks: their maker counts only where no other host is named. A tag, as in ``deepseek-r1:7b``, mostly
    makes another model of the name before it, so it is looked up only where tags have prices.
    """
    heads, names = _split(model.strip().lower())
    hosts = [_seller(head) for head in heads]
    if provider:
        # An OpenAI client often speaks to another server: what the name says is nearer the truth.
        hosts.insert(len(hosts) if _seller(provider) == "openai" else 0, _seller(provider))
    if _SELF_HOSTED in hosts:
        return
    if names[-1].startswith("ft:"):
        yield "openai", names[-1]
        return
    tag = "" if _BEDROCK.fullmatch(names[-1]) else names[-1].partition(":")[2]
    for place in dict.fromkeys(_places(hosts, names)):
        if not tag or tag in _TAGS_AT_THE_SAME_PRICE or place[0] == "openrouter":
            yield place


def _places(hosts: list[str], names: list[str]) -> Iterator[tuple[str, str]]:
    name = names[-1]
    for host in hosts:
        yield from ((host, inner) for inner in names)
    if "fireworks" in hosts and not names[0].startswith("accounts/"):
        yield "fireworks", f"accounts/fireworks/models/{name}"
    if ":" in name and "/" in names[0]:
        yield "openrouter", names[0]
    of_bedrock = _BEDROCK.fullmatch(name)
    if of_bedrock:
        yield "aws", name
        name = of_bedrock["name"]
        hosts = [*hosts, "aws"]
    if "azure" in hosts:
        yield from (("azure", deployed) for deployed in _deployed(name))
    maker = _maker(name)
    if maker is not None and "distill" not in name and (not _OPEN.search(name) or set(hosts) <= {maker}):
        yield maker, name
        yield maker, name.partition("@")[0]  # claude-opus-4@20250514, as Vertex AI writes it
        if of_bedrock:
            yield maker, re.sub(r"-v\d+$", "", name)


def _deployed(name: str) -> Iterator[str]:
    """Yield the models that an Azure deployment's name may contain, the longest first."""
    found = _DEPLOYED.search(name)
    if found is None:
        return
    before = re.split(r"[-_]", name[: found.start()])
    words = re.split(r"[-_]", re.sub(r"^gpt(?=\d)", "gpt-", name[found.start() :]))
    for end in range(len(words), 0, -1):
        if not any(_VARIANTS.fullmatch(word) for word in before + words[end:]):
            yield "-".join(words[:end])


def _split(name: str) -> tuple[list[str], list[str]]:
    """Return the heads of ``a/b/model`` or ``a:model``, and the name from each head on; the last has none."""
    heads: list[str] = []
    names = [name]
    while len(heads) < _MOST_HEADS:
        head, separator, rest = names[-1].partition(":")
        if not separator or _seller(head) not in _LABELS:
            head, separator, rest = names[-1].partition("/")
        if not separator:
            break
        heads.append(head)
        names.append(rest)
    return heads, names


def _seller(label: str) -> str:
    key = re.sub(r"[ ._]", "-", label.strip().lower())
    return "aws" if key.startswith("arn:aws") else _SELLERS.get(key, key)


def _maker(name: str) -> str | None:
    if _BEDROCK.fullmatch(name):
        return "aws"
    found = _MAKERS.match(name)
    return _SELLERS[found.lastgroup] if found and found.lastgroup else None
