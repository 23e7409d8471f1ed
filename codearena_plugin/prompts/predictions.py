"""Answers from OpenCompass' ``predictions/MODEL/DATASET.json``, whole or in the parts that its workers wrote.

Each part is one object: ``{"0": {"origin_prompt": …, "prediction": "…", "gold": …}, …}``. Our data sets keep a prompt's
id as ``gold``; where somebody else's config did not, the last turn of ``origin_prompt`` says which question it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codearena_plugin.errors import DataError
from codearena_plugin.prompts.suite import Suite
from codearena_plugin.records import Prompt


def is_predictions(path: Path) -> bool:
    """Return whether a path is meant for a file, or a directory, of OpenCompass' predictions."""
    return path.suffix == ".json" or path.is_dir()


def read_predictions(path: Path, suite: Suite) -> list[tuple[int, dict[str, Any]]]:
    """Return answers as lines ``{id, response, model}``, numbered from 1; the model is the folder's name.

    Args:
        path: a file, in parts or whole, or the directory of a model with the file of this suite in it.
        suite: that was answered.

    Raises:
        DataError: nothing is there, a file cannot be read, or an answer belongs to no prompt of the suite.
    """
    files = _files(path / f"{suite.name}.json" if path.is_dir() else path)
    questions = {prompt.messages[-1].content.strip(): prompt.id for prompt in suite.prompts}
    rows: list[tuple[int, dict[str, Any]]] = []
    for file in files:
        for place, entry in _entries(file).items():
            prompt_id = _prompt_id(entry, suite, questions)
            if prompt_id is None:
                gold = repr(entry.get("gold"))[:80]
                msg = f"{file}: entry {place!r} answers no prompt of the suite {suite.name!r} (gold: {gold})."
                raise DataError(msg)
            if prompt_id in suite.by_id and not asks(entry.get("origin_prompt"), suite.by_id[prompt_id]):
                raise DataError(_other_text(str(file), prompt_id))
            text = entry.get("prediction")
            answer = {"id": prompt_id, "response": "" if text is None else text, "model": file.resolve().parent.name}
            rows.append((len(rows) + 1, answer))
    return rows


def stored_entries(file: Path) -> list[Mapping[str, Any]]:
    """Return what OpenCompass keeps of each prediction, in the order in which it hands them to evaluators.

    Args:
        file: whole, or what its parts are named after.

    Raises:
        DataError: nothing is there, or it cannot be read.
    """
    try:
        parts = [_entries(part) for part in _files(file)]
        return [part[str(place)] for part in parts for place in range(len(part))]
    except KeyError as exc:
        msg = f"{str(file)!r} cannot be read as OpenCompass' predictions: entry {exc} is missing."
        raise DataError(msg) from exc


def refuse_other_prompts(
    golds: Sequence[Any], asked: Sequence[Any], ids: Sequence[str], prompts: Mapping[str, Prompt]
) -> None:
    """Refuse predictions that were made for other prompts than they are about to be judged against.

    Args:
        golds: stored with the predictions.
        asked: ``origin_prompt`` of each, ``None`` where it is unknown.
        ids: of the rows, in their order.
        prompts: of the suite, by id.

    Raises:
        DataError: other ids, or other texts under the same ids.
    """
    if list(golds) != list(ids):
        msg = "The predictions are not of these prompts: the suite changed since they were made. Infer again."
        raise DataError(msg)
    for prompt_id, text in zip(ids, asked, strict=True):
        if not asks(text, prompts[prompt_id]):
            raise DataError(_other_text("The predictions", prompt_id))


def asks(origin_prompt: Any, prompt: Prompt) -> bool:
    """Return whether a stored prompt contains the question; so it does where nothing readable was stored."""
    if isinstance(origin_prompt, list):
        turns = [turn for turn in origin_prompt if isinstance(turn, dict)]
        origin_prompt = "\n".join(str(turn.get("prompt") or turn.get("content") or "") for turn in turns)
    if not isinstance(origin_prompt, str) or not origin_prompt.strip():
        return True
    return _comparable(prompt.messages[-1].content) in _comparable(origin_prompt)


def _comparable(text: str) -> str:
    """Return a text as it comes through Arrow tables: lone surrogates are U+FFFD; line ends of one kind."""
    plain = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return "\n".join(plain.splitlines()).strip()


def _other_text(where: str, prompt_id: str) -> str:
    return f"{where}: {prompt_id!r} was asked with another text: the suite changed since. Infer again."


def _files(file: Path) -> list[Path]:
    """Return the file, or its parts in order where OpenCompass split it."""
    if file.exists():
        return [file]
    parts: list[Path] = []
    while (part := file.with_name(f"{file.stem}_{len(parts)}.json")).exists():
        parts.append(part)
    if not parts:
        first = f"{file.stem}_0.json"
        msg = f"{str(file)!r} does not exist, nor {first!r}; expected OpenCompass' predictions/MODEL/DATASET.json."
        raise DataError(msg)
    return parts


def _entries(file: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        msg = f"{str(file)!r} cannot be read as OpenCompass' predictions: {exc}."
        raise DataError(msg) from exc
    entries = list(content.values()) if isinstance(content, dict) else []
    if not entries or not all(isinstance(entry, dict) and "prediction" in entry for entry in entries):
        msg = f'{str(file)!r} holds no predictions; expected {{"0": {{"prediction": …, "gold": …}}, …}}.'
        raise DataError(msg)
    return dict(content)


def _prompt_id(entry: Mapping[str, Any], suite: Suite, questions: Mapping[str, str]) -> str | None:
    gold = entry.get("gold")
    if isinstance(gold, str) and (gold in suite.by_id or gold in suite.left_out):
        return gold
    asked = entry.get("origin_prompt")
    if isinstance(asked, list) and asked and isinstance(asked[-1], dict):
        asked = asked[-1].get("prompt") or asked[-1].get("content")
    return questions.get(asked.strip()) if isinstance(asked, str) else None
