"""One row of a suite file, in any of the shapes that are about, to one ``Prompt``.

The exact schema of the published file is not certain, so everything that can be read in only one way is accepted;
anything else is an error that names file, line and field. Text passes through untouched.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import warnings
from collections.abc import Mapping
from typing import Any, NoReturn, cast, get_args

from codearena_plugin.errors import DataError
from codearena_plugin.languages import canonical_languages
from codearena_plugin.prompts.taxonomy import classify, find_category
from codearena_plugin.records import Category, Difficulty, Message, NaturalLanguage, Prompt, Role

MAX_LITERAL_CHARS = 1_000_000  # Python's own parser needs hundreds of bytes a character; JSON text has no such limit

_RESPONSE = "_response"
_DIFFICULTY: Mapping[str, Difficulty] = {"easy": "easy", "medium": "medium", "middle": "medium", "hard": "hard"}
_NATURAL: Mapping[str, NaturalLanguage] = {
    "en": "en", "english": "en", "zh": "zh", "zh-cn": "zh", "chinese": "zh", "中文": "zh",
}  # fmt: skip
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_IDEOGRAPH = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def parse_row(row: Mapping[str, Any], *, where: str, mapping: Mapping[str, Category] | None = None) -> Prompt:
    """Return the prompt of a row.

    Args:
        row: ``messages`` is needed; ``id``, ``meta`` (or ``task_type``, ``main_class``, ``sub_class``),
            ``programming_language``, ``difficulty``, ``natural_language``, ``<model>_response`` columns and a column
            ``baseline`` may be there. Other columns are passed over.
        where: ``"FILE:LINE"``, the beginning of every error message.
        mapping: the user's own task type -> category; see ``taxonomy.classify``.

    Raises:
        DataError: a field cannot be read.
    """
    field = _Fields(row, where)
    messages = _messages(field)
    return Prompt(
        id=_id(field, messages),
        messages=messages,
        languages=canonical_languages(field.strings("programming_language")),
        category=_category(field, mapping),
        difficulty=_choice(field, "difficulty", _DIFFICULTY),
        natural_language=_choice(field, "natural_language", _NATURAL) or guess_language(messages),
        baselines=_baselines(field),
    )


def guess_language(messages: tuple[Message, ...]) -> NaturalLanguage:
    """Return the language that the user writes, read off the script of the text outside code.

    Chinese when at least a tenth of the letters are CJK ideographs, or at least four of at most forty are; a text whose
    every letter stands in code is judged with its code.

    >>> guess_language((Message("user", "用Python写一个快速排序"),))
    'zh'
    """
    text = "\n".join(message.content for message in messages if message.role == "user")
    prose = _CODE.sub(" ", text)
    n_letters = sum(map(str.isalpha, prose))
    if not n_letters:
        prose, n_letters = text, sum(map(str.isalpha, text))
    n_ideographs = len(_IDEOGRAPH.findall(prose))
    return (
        "zh" if n_ideographs and (n_ideographs >= n_letters / 10 or (n_ideographs >= 4 and n_letters <= 40)) else "en"
    )


class _Fields:
    """A row whose fields are read by name; every complaint about one says where it stands."""

    def __init__(self, row: Mapping[str, Any], where: str) -> None:
        self.row = row
        self.where = where

    def get(self, name: str) -> Any:
        return self.row.get(name)

    def refuse(self, name: str, got: Any, expected: str) -> NoReturn:
        shown = repr(got)
        shown = shown if len(shown) <= 80 else f"{shown[:77]}…"
        msg = f"{self.where}: field {name!r}: got {shown} ({type(got).__name__}), expected {expected}."
        raise DataError(msg)

    def strings(self, name: str) -> tuple[str, ...]:
        return self.as_strings(name, self.get(name))

    def as_strings(self, name: str, value: Any) -> tuple[str, ...]:
        if isinstance(value, str):
            value = self.unfold(name, value) if value.lstrip().startswith("[") else [value]
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            self.refuse(name, value, "a string or a list of strings")
        return tuple(value)

    def unfold(self, name: str, text: str) -> Any:
        """Return the value that a string holds, written as JSON or as a Python literal."""
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
        try:
            return _literal(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            self.refuse(name, text, "text that is JSON or a Python literal")


def _literal(text: str) -> Any:
    if len(text) > MAX_LITERAL_CHARS:
        msg = f"a Python literal of {len(text)} characters is over the limit of {MAX_LITERAL_CHARS}"
        raise ValueError(msg)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d" in a stranger's literal is no concern of the user
        return ast.literal_eval(text.strip())


def _messages(field: _Fields) -> tuple[Message, ...]:
    value = field.get("messages")
    if isinstance(value, str):
        value = field.unfold("messages", value)
    if not isinstance(value, list) or not value:
        field.refuse("messages", value, "a list of {role, content}, or a string that holds one")
    messages = tuple(_message(field, f"messages[{at}]", turn) for at, turn in enumerate(value))
    if not any(message.role == "user" for message in messages):
        field.refuse("messages", value, "at least one message of the user")
    return messages


def _message(field: _Fields, name: str, turn: Any) -> Message:
    if not isinstance(turn, dict):
        field.refuse(name, turn, "an object {role, content}")
    role, content = turn.get("role"), turn.get("content")
    if role not in get_args(Role):
        field.refuse(f"{name}.role", role, f"one of {', '.join(get_args(Role))}")
    if isinstance(content, list):
        content = "".join(_text_part(field, f"{name}.content[{at}]", part) for at, part in enumerate(content))
    if not isinstance(content, str):
        field.refuse(f"{name}.content", content, "text, or a list of text parts")
    return Message(cast("Role", role), content)


def _text_part(field: _Fields, name: str, part: Any) -> str:
    text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
    if not isinstance(text, str):
        field.refuse(name, part, '{"type": "text", "text": "…"}')
    return text


def _id(field: _Fields, messages: tuple[Message, ...]) -> str:
    given = field.get("id")
    if given is None:  # the data set's own ids look like md5 sums
        turns = json.dumps([[message.role, message.content] for message in messages])
        return hashlib.md5(turns.encode(), usedforsecurity=False).hexdigest()
    if isinstance(given, bool) or not isinstance(given, str | int) or not str(given).strip():
        field.refuse("id", given, "a string or a whole number")
    return str(given)


def _choice(field: _Fields, name: str, choices: Mapping[str, Any]) -> Any:
    given = field.get(name)
    if given is None or given == "":
        return None
    written = given.strip().lower() if isinstance(given, str) else ""
    if written not in choices:
        field.refuse(name, given, f"one of {', '.join(choices)}")
    return choices[written]


def _category(field: _Fields, mapping: Mapping[str, Category] | None) -> Category | None:
    mapped = classify(_task_types(field), mapping) if mapping is not None else None
    return mapped or _stated_category(field) or (classify(_task_types(field)) if mapping is None else None)


def _stated_category(field: _Fields) -> Category | None:
    main, sub = field.get("main_class"), field.get("sub_class")
    for name, value in (("main_class", main), ("sub_class", sub)):
        if value is not None and not isinstance(value, str):
            field.refuse(name, value, "a class name")
    return find_category(main, sub) if sub else None


def _task_types(field: _Fields) -> tuple[str, ...]:
    meta = _object(field, "meta", field.get("meta"))
    parsed = _object(field, "meta.parsed", meta.get("parsed"))
    places = {"meta.parsed.task_type": parsed, "meta.task_type": meta, "task_type": field.row}
    return tuple(kind for name, holder in places.items() for kind in field.as_strings(name, holder.get("task_type")))


def _object(field: _Fields, name: str, value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        value = field.unfold(name, value) if value.strip() else None
    if value is None:
        return {}
    if not isinstance(value, dict):
        field.refuse(name, value, "an object")
    return value


def _baselines(field: _Fields) -> dict[str, str]:
    found: dict[str, str] = {}
    for column, text in field.row.items():
        model = column if column == "baseline" else column.removesuffix(_RESPONSE)
        if (model == column and column != "baseline") or not model or text is None:
            continue
        if not isinstance(text, str):
            field.refuse(column, text, "text")
        found[model] = text
    return found
