"""The errors that the proxy itself sends. Everything else that a caller sees is Azure's."""

import json
import uuid

from .upstream import READ_SECONDS

REFUSED = "Azure OpenAI refused the proxy's own call ({}); your key is fine. {}"
ERRORS = {  # code: (status, whether a retry can help, message)
    "invalid_json": (400, False, "The body must be one JSON object in UTF-8: {}."),
    "invalid_model": (400, False, "`model`, in small letters, must be one string."),
    "invalid_form": (400, False, "The body must be a form (multipart/form-data), written as clients write it: {}."),
    "missing_model": (400, False, "Name a `model`: sounds and images have no default. This proxy serves: {}."),
    "invalid_response_id": (400, False, "A response id is like resp_abc123."),
    "invalid_file_id": (400, False, "A container's id is like cntr_abc123, a file's id like cfile_abc123."),
    "invalid_encoding": (400, False, "The body does not match its header `content-encoding: {}`: {}."),
    "invalid_extra_query": (400, False, "Send the key as the header x-functions-key: `extra_query` would reach Azure."),
    "too_many_output_tokens": (
        *(400, False),
        "This proxy allows {:,} output tokens a call, all `n` answers together; you asked for {}. Set `{}`.",
    ),
    "storing_is_off": (400, False, "This proxy lets Azure store nothing: {}."),
    "two_api_keys": (400, False, "The headers of this call hold two different keys: send one."),
    "missing_api_key": (
        *(401, False),
        "Send your key as `Authorization: Bearer sk-…`. It begins with sk-; a function key works below /api/v1.",
    ),
    "invalid_api_key": (
        *(401, False),
        "This proxy does not know your key. Compare the whole key with the one that you got: keys are long.",
    ),
    "api_key_ended": (
        *(401, False),
        "The last day of this key was {} (UTC). Ask the person who gave it to you for a new one.",
    ),
    "api_key_revoked": (401, False, "This key was revoked. Ask the person who gave it to you for a new one."),
    "response_not_yours": (
        *(404, False),
        "Your key made no response with this id. Each key reads, continues and deletes only its own responses.",
    ),
    "background_needs_limit": (
        *(400, False),
        "A response in the background counts in your key's budget as the limit of its output: set `max_output_tokens`.",
    ),
    "container_owner_not_kept": (
        *(403, False),
        "This proxy does not record whose a container is, so no key of a person reads its files. Let the model print "
        "what you need, or ask the administrator for a function key.",
    ),
    "owner_not_kept": (400, False, "This proxy does not record whose {} is: send {} in its place."),
    "key_budget_used_up": (
        *(429, False),
        "Your key's {:,} {} for today are used up. A new day begins at 00:00 UTC, in {} h {} min. This limit is your "
        "key's own, not Azure's.",
    ),
    "key_budget_reserved": (
        *(429, True),
        "Your key's running calls may take the rest of its {:,} {} for today. Try again when one has ended. This limit "
        "is your key's own, not Azure's.",
    ),
    "key_minute_used_up": (
        *(429, True),
        "Your key's {:,} {} a minute are used up. Go on in {} s. This limit is your key's own, not Azure's.",
    ),
    "owner_unknown": (
        *(503, True),
        "The proxy cannot look up the owner of this response at the moment. Try again. If the error stays, the "
        "administrator must check the usage table.",
    ),
    "model_not_in_key": (403, False, "Your key is not for the model {!r}. It is for: {}."),
    "not_found": (404, False, "There is no {} {} here.{} The base URL ends in {}, once. Below it are {}."),
    "model_not_found": (404, False, "This proxy does not serve the model {!r}. It serves: {}."),
    "request_too_large": (413, False, "The body has {} bytes; {:,} are allowed."),
    "unsupported_encoding": (415, False, "The proxy cannot read `content-encoding: {}`. It reads: {}."),
    "websocket_not_served": (426, False, "This proxy has no WebSockets: send the same request over plain HTTP."),
    "internal_error": (500, False, "The proxy failed unexpectedly; its log says why."),
    "upstream_authentication_error": (502, False, REFUSED),
    "upstream_token_refused": (502, False, REFUSED),
    "upstream_network_denied": (502, False, REFUSED),
    "upstream_resource_blocked": (502, False, REFUSED),
    "upstream_redirect": (
        *(502, False),
        "Something on the way redirects ({}), which Azure OpenAI never does. The proxy does not follow. The "
        "administrator must check AZURE_OPENAI_BASE, and gateways between the function and Azure.",
    ),
    "identity_unavailable": (
        *(502, True),
        "The proxy got no token from its managed identity. Try again in a moment. If the error stays, the "
        "administrator must switch the identity on and check AZURE_CLIENT_ID.",
    ),
    "upstream_unreachable": (502, True, "{}"),
    "upstream_web_page": (
        *(502, True),
        "A web page came in the place of Azure OpenAI's answer. Try again in a moment. If the error stays, the "
        "administrator must check AZURE_OPENAI_BASE, and gateways between the function and Azure.",
    ),
    "upstream_stream_broken": (502, True, "Azure OpenAI broke off the stream; the answer is incomplete."),
    "upstream_stream_silent": (
        *(502, True),
        "Azure OpenAI fell silent; the answer is incomplete. For long calls use the Responses API with "
        "background=true and poll.",
    ),
    "misconfigured": (503, False, "The administrator must correct the app settings: {}."),
    "upstream_timeout": (
        *(504, False),
        f"Azure OpenAI was silent for {READ_SECONDS:.0f} s. For long calls use the Responses API with background=true "
        "and poll.",
    ),
}


KINDS = {429: "rate_limit_error"}


class ProxyError(Exception):
    """One of ERRORS, sent in OpenAI's shape: {"error": {message, type, param, code}}.

    `cause` is one word and `detail` is one line, for the record and the log. The caller sees neither."""

    def __init__(
        self,
        code: str,
        *facts: object,
        param: str | None = None,
        retry: bool | None = None,
        cause: str | None = None,
        detail: str | None = None,
    ) -> None:
        self.code, self.cause, self.detail = code, cause, detail
        self.status, usual, message = ERRORS[code]
        self.retry = usual if retry is None else retry
        kind = KINDS.get(self.status) or ("invalid_request_error" if self.status < 500 else "server_error")
        error = {"message": message.format(*facts), "type": kind, "param": param, "code": code}
        self.body = json.dumps({"error": error}).encode()

    @property
    def headers(self) -> dict[str, str]:
        never = {} if self.retry or self.status < 500 else {"x-should-retry": "false"}  # the OpenAI SDKs obey it
        asks = {"www-authenticate": "Bearer"} if self.status == 401 else {}  # RFC 9110, section 15.5.2
        return {"content-type": "application/json", "x-request-id": str(uuid.uuid4()), **never, **asks}
