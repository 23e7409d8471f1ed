"""Answers that a model gave earlier: a JSON-lines file of our kind or of lm-eval's, or OpenCompass' predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from codearena_plugin.errors import DataError, unknown_name
from codearena_plugin.prompts.files import read_rows
from codearena_plugin.prompts.predictions import is_predictions, read_predictions
from codearena_plugin.prompts.suite import Suite, listed
from codearena_plugin.records import Answer

ID_FIELDS = ("id", "prompt_id", "question_id", "uid")
TEXT_FIELDS = ("response", "answer", "output", "text", "completion")


class _Line(NamedTuple):
    where: str
    prompt_id: str
    text: str
    model: str | None
    finish_reason: str | None


def read_answers(
    path: str | Path, suite: Suite, *, model: str | None = None, allow_missing: bool = False
) -> tuple[Answer, ...]:
    """Return one answer for each prompt, in the order of the suite.

    Two kinds of line are known, told apart by their keys: ``{id, response, model?, finish_reason?}`` (other names:
    ``ID_FIELDS``, ``TEXT_FIELDS``), and lm-eval's ``samples_*.jsonl``. Of the latter the first raw response counts, in
    the records of the first filter: filters and repeats multiply records, not answers. A ``.json`` file, or a directory
    of them, is OpenCompass'. Answers to prompts that the suite left out are passed over.

    Args:
        path: plain or gzipped.
        suite: whose prompts were answered.
        model: choose this model's answers from a file that holds several; the model's name where the file gives none.
        allow_missing: return fewer answers than prompts instead of an error.

    Raises:
        DataError: a line cannot be read; ids are there twice, are unknown or missing; several models and no choice.
    """
    file = Path(path).expanduser()
    rows = read_predictions(file, suite) if is_predictions(file) else list(read_rows(file))
    samples = _are_samples(rows, file)
    lines = _sample_lines(rows, file) if samples else [_answer_line(row, f"{file}:{line}") for line, row in rows]
    is_named = any(line.model for line in lines)
    fallback = model if model and not is_named else _model_of_path(file, samples=samples)
    chosen = _of_one_model(lines, file, model=model, fallback=fallback)
    texts = _by_prompt(chosen, suite, file)
    missing = [prompt.id for prompt in suite.prompts if prompt.id not in texts]
    if missing and not allow_missing:
        msg = (
            f"{file}: {len(missing)} of {len(suite.prompts)} prompts have no answer: {listed(missing)}; "
            "an empty answer is an empty text; codearena_only_answered=true judges only those that are there."
        )
        raise DataError(msg)
    return tuple(
        Answer(line.prompt_id, line.model or fallback, line.text, line.finish_reason)
        for prompt in suite.prompts
        if (line := texts.get(prompt.id)) is not None
    )


def _are_samples(rows: Sequence[tuple[int, Mapping[str, Any]]], file: Path) -> bool:
    kinds = {"doc" in row and ("resps" in row or "filtered_resps" in row) for _, row in rows}
    if not rows or len(kinds) > 1:
        problem = "two kinds of line, answers and lm-eval samples" if rows else "no line"
        msg = f"{file}: {problem}; expected answers {{id, response}} or lm-eval samples throughout."
        raise DataError(msg)
    return kinds.pop()


def _answer_line(row: Mapping[str, Any], where: str) -> _Line:
    name = next((name for name in TEXT_FIELDS if name in row), None)
    if name is None:
        _refuse(where, "response", None, f"one of the fields {', '.join(TEXT_FIELDS)}")
    return _Line(
        where=where,
        prompt_id=_prompt_id(row, where),
        text=_text(row[name], where, name),
        model=_optional_text(row, where, "model"),
        finish_reason=_optional_text(row, where, "finish_reason"),
    )


def _sample_lines(rows: Sequence[tuple[int, Mapping[str, Any]]], file: Path) -> list[_Line]:
    first_filter = rows[0][1].get("filter")
    return [_sample_line(row, f"{file}:{line}") for line, row in rows if row.get("filter") == first_filter]


def _sample_line(row: Mapping[str, Any], where: str) -> _Line:
    if not isinstance(row["doc"], dict):
        _refuse(where, "doc", row["doc"], "an object with the prompt's id")
    match row:  # raw responses first: a task's filters may have turned the text into something else
        case {"resps": [[text, *_], *_]}:
            name = "resps[0][0]"
        case {"filtered_resps": [text, *_]}:
            name = "filtered_resps[0]"
        case _:
            _refuse(where, "resps", row.get("resps"), "a list of lists of text")
    return _Line(where, _prompt_id(row["doc"], where), _text(text, where, name), None, None)


def _prompt_id(row: Mapping[str, Any], where: str) -> str:
    name = next((name for name in ID_FIELDS if name in row), "id")
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        _refuse(where, name, value, "the id of a prompt")
    return str(value)


def _text(value: Any, where: str, name: str) -> str:
    if not isinstance(value, str):
        _refuse(where, name, value, "text (empty where the model said nothing)")
    return value


def _optional_text(row: Mapping[str, Any], where: str, name: str) -> str | None:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        _refuse(where, name, value, "text, or nothing")
    return value or None


def _refuse(where: str, name: str, got: Any, expected: str) -> NoReturn:
    msg = f"{where}: field {name!r}: got {repr(got)[:80]} ({type(got).__name__}), expected {expected}."
    raise DataError(msg)


def _of_one_model(lines: Sequence[_Line], file: Path, *, model: str | None, fallback: str) -> list[_Line]:
    named = list(dict.fromkeys(line.model or fallback for line in lines))
    if model is not None and model not in named:
        raise DataError(f"{file}: " + unknown_name("model", model, named))
    if model is None and len(named) > 1:
        msg = f"{file}: answers of {len(named)} models: {listed(named)}; expected one, or choose one of them by name."
        raise DataError(msg)
    return [line for line in lines if model is None or (line.model or fallback) == model]


def _by_prompt(lines: Sequence[_Line], suite: Suite, file: Path) -> dict[str, _Line]:
    counts = Counter(line.prompt_id for line in lines)
    twice = [prompt_id for prompt_id, n in counts.items() if n > 1]
    if twice:
        msg = f"{file}: {len(twice)} prompts are answered more than once: {listed(twice)}; expected one answer each."
        raise DataError(msg)
    left_out = set(suite.left_out)
    unknown = [prompt_id for prompt_id in counts if prompt_id not in suite.by_id and prompt_id not in left_out]
    if unknown:
        msg = (
            f"{file}: {len(unknown)} ids are not in the suite {suite.name!r}: {listed(unknown)}; "
            f"its ids look like {suite.prompts[0].id!r}."
        )
        raise DataError(msg)
    return {line.prompt_id: line for line in lines}


def _model_of_path(file: Path, *, samples: bool) -> str:
    """Return the model's name as the path tells it; lm-eval keeps the samples of a model in a folder of its name."""
    if samples and any(file.parent.glob("results_*.json")):
        return file.resolve().parent.name
    name = file.name.removesuffix(".gz").removesuffix(".jsonl")
    return name.removeprefix("answers_").removeprefix("samples_")
