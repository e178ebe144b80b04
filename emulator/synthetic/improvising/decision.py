"""Decides what the model does: it calls functions, or answers in the form that the request asks for."""

from collections.abc import Mapping
from typing import Any

from ..asked import Asked, Reply
from ..fields import Fields, fields_of
from ..instance import instance
from ..instance.judge import Judge
from ..seed import Seed
from ..text import compact
from ..words import quoted, said
from . import length, tool
from .conversation import Conversation

Form = Mapping[str, Any]


def reply(asked: Asked, conversation: Conversation) -> Reply:
    """Raises Unsatisfiable where no value fits a schema of the request."""
    thought, summary = length.thought(asked), _summary(asked, conversation)
    most = length.limit(asked.body)
    left = None if most is None else most - thought
    if calls := tool.calls(asked.body, conversation.called, asked.seed):
        called = Reply((), calls, thought, summary)
        if most is None or called.tokens <= most:
            return called
        return Reply(("",), (), thought, summary, True, most)  # half a call would not be JSON
    stop, choices = asked.body.get("stop"), list[length.Spoken]()
    for at in range(asked.choices):
        text = _text(asked, conversation, Seed(f"{asked.seed.text}\nchoice {at}"))
        choices.append(length.spoken(text, left, stop))
    spent = thought + sum(choice.spent for choice in choices)
    texts, cut = tuple(choice.text for choice in choices), tuple(choice.cut for choice in choices)
    if asked.operation == "responses" and cut[0] and not texts[0]:
        texts = ()  # reasoning used up all tokens, so Responses sends no message
    return Reply(texts, (), thought, summary, cut, spent)


def _text(asked: Asked, conversation: Conversation, seed: Seed) -> str:
    form = asked.body.get("response_format") or (asked.body.get("text") or {}).get("format") or {}
    fields = fields_of(conversation.messages)
    if form.get("type") == "json_schema":
        schema = (form.get("json_schema") or form).get("schema") or {}
        return compact(_fitting(schema, fields, seed))
    is_json = form.get("type") == "json_object"
    if fields and (fields.form == "json" or not is_json):
        return fields.answer(seed)
    text = said(conversation.prompt, seed, length.wanted(conversation.prompt, asked.choices))
    return compact({"answer": text}) if is_json else text


def _fitting(schema: Form, fields: Fields | None, seed: Seed) -> Any:
    """A value that fits the schema. Where the prompt asks for fields, their values come first: the prompt says more of
    them than the schema."""
    made = instance(schema, seed)
    if fields and fields.form == "json" and Judge(schema).fits(schema, values := fields.values(seed)):
        return values
    return made


def _summary(asked: Asked, conversation: Conversation) -> str:
    if not (asked.body.get("reasoning") or {}).get("summary"):
        return ""
    return f"**Making up an answer**\n\nThe question ends with “{quoted(conversation.prompt)}”."
