"""The control API's error answers."""

from typing import Any

from .answer import Answer, answer_of


class Refusal(Exception):
    """`code` is for programs, `message` for people; `param` is the part of the request that is wrong."""

    def __init__(
        self, status: int, code: str, message: str, param: str | None = None, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.param, self.headers = status, code, param, headers

    def answer(self) -> Answer:
        error: dict[str, Any] = {"message": str(self), "type": "emulator_error", "param": self.param, "code": self.code}
        return answer_of({"error": error}, self.status, self.headers)


def invalid_query(message: str, name: str) -> Refusal:
    return Refusal(400, "invalid_query", message, name)


def invalid_control(message: str, name: str | None = None) -> Refusal:
    return Refusal(400, "invalid_control", message, name)
