"""Stand-ins for the protobuf messages that the worker library reads and builds.

The library takes any object with the attributes that it reads. It builds its answers from the classes in `protos`.
"""

from types import SimpleNamespace

from ..routing.function import Invocation


class Message(SimpleNamespace):
    """A message: its fields are its attributes."""


class OneOf(Message):
    """A message with one field set, named `which`."""

    which: str | None

    def WhichOneof(self, group: str) -> str | None:
        return self.which


class StatusResult(Message):
    Failure, Success = range(2)


class BindingInfo(Message):
    undefined = 0
    out = 1
    inout = 2


PROTOS = SimpleNamespace(
    StatusResult=StatusResult,
    BindingInfo=BindingInfo,
    **dict.fromkeys(
        (
            "FunctionMetadataResponse",
            "InvocationResponse",
            "RpcException",
            "RpcFunctionMetadata",
            "RpcRetryOptions",
            "WorkerInitResponse",
            "WorkerMetadata",
        ),
        Message,
    ),
)


def init_request(folder: str) -> Message:
    """Asks the worker to import the app in `folder` and to start its HTTP server."""
    request = Message(capabilities={}, function_app_directory=folder)
    return Message(
        request=Message(worker_init_request=request),
        properties={"host": "127.0.0.1", "protos": PROTOS},
    )


def metadata_request() -> Message:
    """Asks for the functions of the app that was imported."""
    return Message(request=Message(), properties={})


def invocation_request(invocation: Invocation) -> Message:
    """Announces a call. The worker then waits for the HTTP request with the same id.

    The message holds the route parameters and nothing else of the request, as the Functions host's message does to a
    worker that takes HTTP.
    """
    http = Message(
        method="",
        url="",
        headers={},
        query={},
        params=invocation.route_parameters,
        body=OneOf(which=None),
    )
    trigger = OneOf(
        which="data",
        name=invocation.function.request_parameter,
        data=OneOf(which="http", http=http),
    )
    request = Message(
        invocation_id=invocation.id,
        function_id=invocation.function.id,
        input_data=[trigger],
        trigger_metadata={},
        trace_context=Message(trace_parent="", trace_state="", attributes={}),
        retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
    )
    return Message(request=Message(invocation_request=request))
