"""A path that no route has: what is wrong with it, and how much of it may be noted."""

WORDS = """
    api openai v1 keys deployments engines models chat completions responses cancel input_items input_tokens compact
    embeddings audio speech transcriptions translations images generations edits variations files content uploads parts
    complete batches assistants threads runs messages steps vector_stores search file_batches fine_tuning jobs
    moderations conversations items containers realtime sessions evals graders videos health healthz docs
"""
KNOWN = frozenset(WORDS.split())  # segments that are nobody's secret; ids of stored things are not among them
LONGEST = 200  # characters


def masked(path: str) -> str:
    """Whoever has the id of a stored response can read it, so a mistyped path must not be noted as it is."""
    return "/".join(part if part.lower() in KNOWN or not part else "*" for part in path[: 2 * LONGEST].split("/"))[
        :LONGEST
    ]


def advice(path: str, root: str) -> str:
    """For an AzureOpenAI client with the base URL as its endpoint. It adds /openai or /deployments; what works is
    `root`, which ends in /api or in /api/keys."""
    parts = path.lower().split("/")
    if "v1" not in parts or not {"openai", "deployments"} & set(parts[parts.index("v1") :]):
        return ""
    return f' AzureOpenAI takes azure_endpoint="https://<app>{root}"; or take the OpenAI client with base_url.'


def mistake(path: str) -> str:
    """What is commonly wrong with a base URL, in brackets; "" where that is not it."""
    parts = path.lower().strip("/").split("/")
    wrong = {
        "a doubled slash": "//" in path,
        "/api twice": parts.count("api") > 1,
        "/v1 twice": parts.count("v1") > 1,
        "no /v1": parts[0] == "api" and len(parts) > 1 and "v1" not in parts,
    }
    found = " and ".join(what for what, true in wrong.items() if true)
    return f" (with {found})" if found else ""
