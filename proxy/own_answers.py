"""What the proxy answers without Azure: which models it serves, what a signed key has used, whether the proxy is up."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from azurefunctions.extensions.http.fastapi import Request, Response

from .grant import Grant
from .model import deployment_of, model_in_path
from .record import Record
from .settings import Settings
from .telemetry import keep_quiet
from .version import VERSION


class OwnAnswers:
    """The handlers of these routes."""

    def __init__(self, settings: Settings) -> None:
        self.chains, self.is_up = settings.chains, not settings.problems

    async def models(self, req: Request, record: Record, grant: Grant) -> Response:
        return json_response({"object": "list", "data": [self.entry(name) for name in grant.deployments]})

    async def model(self, req: Request, record: Record, grant: Grant) -> Response:
        name = model_in_path(req.path_params["model"], grant.deployments)
        deployment_of(name, grant.deployments)
        return json_response(self.entry(name))

    def entry(self, name: str) -> dict[str, Any]:
        """A model as OpenAI lists it. A model with spillover also names its deployments: `doctor` tries each."""
        entry = {"id": name, "object": "model", "created": 0, "owned_by": "azure-openai"}
        return entry | {"deployments": self.chains[name]} if name in self.chains else entry

    async def usage(self, req: Request, record: Record, grant: Grant) -> Response:
        assert grant.key
        assert grant.accounts
        return json_response(grant.accounts.usage(grant.key))

    def health(self, req: Request) -> Response:
        """For everybody, without a key. Prints no record: anybody could fill the log with them."""
        keep_quiet(req.scope)
        status = "up" if self.is_up else "misconfigured"
        return json_response({"status": status, "version": VERSION}, 200 if self.is_up else 503)


def json_response(content: Mapping[str, Any], status: int = 200) -> Response:
    headers = {"x-request-id": str(uuid.uuid4())}
    return Response(json.dumps(content), status, headers, media_type="application/json")
