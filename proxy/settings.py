"""The app settings, checked. docs/settings.md explains each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from . import outbound

MAX_BODY_BYTES = 100_000_000  # just below the Functions host's limit of 104,857,600, whose error says nothing
KEEPALIVE_SECONDS = 20.0  # many proxies give up after 60 s of silence, Azure's load balancers after 230 s
MAX_KEEPALIVE_SECONDS = 200.0
SIGNING_CHARACTERS = 32
SIGNING_LETTERS = 8  # different characters; 32 random hexadecimal digits have 13 or 14 as a rule
DEFAULT_SCOPE = "https://cognitiveservices.azure.com/.default"


@dataclass(frozen=True)
class Settings:
    """`deployments` maps model name to deployment, the default first; `chains` has all deployments of the models that
    have more than one, for spillover; `dated` is the dated api-version, "" for the v1 API; `problems` has one sentence
    for every bad setting."""

    base: str
    deployments: Mapping[str, str]
    chains: Mapping[str, tuple[str, ...]]
    dated: str
    preview: bool
    scope: str
    client_id: str | None
    max_output_tokens: int | None
    allow_store: bool
    max_body_bytes: int
    key_salt: str
    keepalive_seconds: float
    signing_keys: tuple[str, ...]
    revoked_keys: tuple[str, ...]
    usage_table: str
    health: bool
    problems: tuple[str, ...]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        base = env.get("AZURE_OPENAI_BASE", "").strip().rstrip("/")
        listed = [chain_in(item) for item in listed_in(env, "AZURE_OPENAI_DEPLOYMENT")]
        chains = dict(listed)
        version = env.get("AZURE_OPENAI_API_VERSION", "").strip().lower()
        scope = env.get("AZURE_OPENAI_SCOPE", "").strip() or DEFAULT_SCOPE
        tokens = env.get("PROXY_MAX_OUTPUT_TOKENS", "").strip()
        store = env.get("PROXY_ALLOW_STORE", "").strip().lower()
        megabytes = env.get("PROXY_MAX_BODY_MB", "").strip()
        salt = env.get("PROXY_KEY_SALT", "").strip()
        signing_keys = listed_in(env, "PROXY_SIGNING_KEY")
        usage_table = env.get("PROXY_USAGE_TABLE", "").strip().rstrip("/")
        keepalive = env.get("PROXY_KEEPALIVE_SECONDS", "").strip()
        health = env.get("PROXY_HEALTH", "").strip().lower()
        keepalive_seconds = float(keepalive) if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", keepalive) else -1.0
        max_body = int(float(megabytes) * 1_000_000) if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", megabytes) else 0
        checks = {
            "AZURE_OPENAI_BASE must be like https://my-resource.openai.azure.com, without /openai, query or user "
            "(http only on loopback)": is_azure_base(base),
            "AZURE_OPENAI_DEPLOYMENT must be a deployment name, or a list like gpt-4o-mini,gpt-4o=my-4o-deployment "
            "with each model once; spillover is like gpt-4o=first|second, with each deployment once": (
                bool(chains) and len(chains) == len(listed) and all(map(is_chain, chains, chains.values()))
            ),
            "AZURE_OPENAI_API_VERSION must be v1, preview, or a date like 2024-10-21 or 2025-04-01-preview": bool(
                re.fullmatch(r"|v1|preview|\d{4}-\d{2}-\d{2}(-preview)?", version)
            ),
            f"AZURE_OPENAI_SCOPE must be like {DEFAULT_SCOPE}": bool(re.fullmatch(r"\w+://\S+/\.default", scope)),
            "PROXY_MAX_OUTPUT_TOKENS must be a whole number above 0": bool(re.fullmatch(r"|[1-9][0-9]{0,8}", tokens)),
            "PROXY_ALLOW_STORE must be true or false": store in ("", "true", "false"),
            f"PROXY_MAX_BODY_MB must be a number above 0, at most {MAX_BODY_BYTES / 1_000_000:g}": (
                not megabytes or 0 < max_body <= MAX_BODY_BYTES
            ),
            "PROXY_KEY_SALT must have at least 16 characters": not salt or len(salt) >= 16,
            f"PROXY_SIGNING_KEY must be {SIGNING_CHARACTERS} random characters or more, or a comma-separated list of "
            "such secrets (a reference to Key Vault must resolve)": all(map(is_secret, signing_keys)),
            "PROXY_USAGE_TABLE must be like https://account.table.core.windows.net/usage": bool(
                re.fullmatch(r"|https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z][A-Za-z0-9]{2,62}", usage_table)
            ),
            f"PROXY_KEEPALIVE_SECONDS must be 0 (off) or a number of seconds, at most {MAX_KEEPALIVE_SECONDS:g}": (
                not keepalive or 0 <= keepalive_seconds <= MAX_KEEPALIVE_SECONDS
            ),
            "PROXY_HEALTH must be true or false": health in ("", "true", "false"),
        }
        return cls(
            base,
            {model: chain[0] for model, chain in listed},
            {model: chain for model, chain in listed if len(chain) > 1},
            dated=version if version[:1].isdigit() else "",
            preview=version == "preview",
            scope=scope,
            client_id=env.get("AZURE_CLIENT_ID", "").strip() or None,
            max_output_tokens=int(tokens) if tokens.isdecimal() else None,
            allow_store=store != "false",
            max_body_bytes=max_body or MAX_BODY_BYTES,
            key_salt=salt or env.get("WEBSITE_AUTH_ENCRYPTION_KEY", ""),  # App Service makes this for each app
            keepalive_seconds=keepalive_seconds if keepalive else KEEPALIVE_SECONDS,
            signing_keys=signing_keys,
            revoked_keys=listed_in(env, "PROXY_REVOKED_KEYS"),
            usage_table=usage_table,
            health=health == "true",
            problems=(*(problem for problem, fine in checks.items() if not fine), *outbound.problems(env, base)),
        )


def is_azure_base(base: str) -> bool:
    try:
        url = urlsplit(base)
        secure = url.scheme == "https" or (url.scheme == "http" and url.hostname in ("localhost", "127.0.0.1", "::1"))
        plain = re.fullmatch(r"[!-~]+", base) and not re.search(r"[?#@\\]|/openai(/|$)", base)
        return bool(secure and url.hostname and plain and url.port != 0)
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


def listed_in(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The items of a comma-separated list."""
    return tuple(item.strip() for item in env.get(name, "").split(",") if item.strip())


def chain_in(item: str) -> tuple[str, tuple[str, ...]]:
    """A model and its deployments, of `model=deployment|deployment`. A model without deployments has its own name."""
    model, _, named = item.partition("=")
    chain = tuple(name.strip() for name in (named or model).split("|"))
    return (model.strip() if named else chain[0]), chain


def is_chain(model: str, chain: Sequence[str]) -> bool:
    named = all(re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", deployment) for deployment in chain)
    return named and len(set(chain)) == len(chain) and bool(model) and "|" not in model


def is_secret(signing_key: str) -> bool:
    """Whether the text can be a secret. A reference that App Service cannot resolve stays as it is written, and anybody
    who guesses it could sign."""
    long = len(signing_key) >= SIGNING_CHARACTERS and len(set(signing_key)) >= SIGNING_LETTERS
    return long and not signing_key.startswith("@Microsoft.")
