"""A function that reads its request and answers 1.5 KB, and does nothing else: what the worker alone costs."""

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

ANSWER = b"x" * 1_500
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.route(route="v1/chat/completions", methods=["POST"])
async def null(req: Request) -> Response:
    await req.body()
    return Response(ANSWER, media_type="application/json")
