"""The names of models and deployments, in the form of AZURE_OPENAI_DEPLOYMENT."""

import argparse
import re

NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")  # as AZURE_OPENAI_DEPLOYMENT takes it
USUAL = (  # what a newcomer's first program names
    "gpt-4o-mini",
    "gpt-4o",
    "gpt-4.1-mini",
    "gpt-4.1",
    "gpt-5-mini",
    "gpt-5",
    "o4-mini",
    "text-embedding-3-small",
    "text-embedding-3-large",
    "text-embedding-ada-002",
    "gpt-4o-mini-tts",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "whisper",
    "gpt-image-1",
)


def models_of(setting: str) -> dict[str, str]:
    """The model that each deployment of AZURE_OPENAI_DEPLOYMENT is called by: `gpt-4o=my-4o` names both. Several
    deployments, as in `gpt-4o=first|second`, have one model."""
    models: dict[str, str] = {}
    for item in setting.split(","):
        model, _, named = item.partition("=")
        chain = (named or model).split("|")
        models |= {deployment.strip(): (model if named else chain[0]).strip() for deployment in chain}
    return models


def listed(text: str) -> str:
    """For argparse: a list as AZURE_OPENAI_DEPLOYMENT has it."""
    for name in (name for pair in models_of(text).items() for name in pair):
        if not NAME.fullmatch(name):
            raise argparse.ArgumentTypeError(f"{name!r} is no name of a deployment; as in gpt-4o-mini,gpt-4o=my-4o")
    return text
