"""A path without a route: what is wrong with it, and how much of it the record may hold."""

WORDS = """
    api openai v1 keys deployments engines models chat completions responses cancel input_items input_tokens compact
    embeddings audio speech transcriptions translations images generations edits variations files content uploads parts
    complete batches assistants threads runs messages steps vector_stores search file_batches fine_tuning jobs
    moderations conversations items containers realtime sessions evals graders videos health healthz docs
"""
KNOWN = frozenset(WORDS.split())  # segments that are nobody's secret: no ids of stored things
LONGEST = 200  # characters


def masked(path: str) -> str:
    """The path for the record. `*` hides each unknown segment, which may be the id that opens a stored response."""
    return "/".join(part if part.lower() in KNOWN or not part else "*" for part in path[: 2 * LONGEST].split("/"))[
        :LONGEST
    ]


def advice(path: str, root: str) -> str:
    """Advice for an AzureOpenAI client whose endpoint is the base URL. The client adds /openai or /deployments itself,
    so its endpoint must be `root`, which ends in /api or in /api/keys."""
    parts = path.lower().split("/")
    if "v1" not in parts or not {"openai", "deployments"} & set(parts[parts.index("v1") :]):
        return ""
    return f' AzureOpenAI takes azure_endpoint="https://<app>{root}"; or take the OpenAI client with base_url.'


def mistake(path: str) -> str:
    """The common mistakes of a base URL that this path shows, in brackets; "" for none."""
    parts = path.lower().strip("/").split("/")
    wrong = {
        "a doubled slash": "//" in path,
        "/api twice": parts.count("api") > 1,
        "/v1 twice": parts.count("v1") > 1,
        "no /v1": parts[0] == "api" and len(parts) > 1 and "v1" not in parts,
    }
    found = " and ".join(what for what, true in wrong.items() if true)
    return f" (with {found})" if found else ""
