"""What all importers read alike: files and folders of JSON lines, one game from a label and a text, stored answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from codearena_plugin.errors import DataError
from codearena_plugin.judging.protocol.parse import read_verdict
from codearena_plugin.prompts.answers import ID_FIELDS, TEXT_FIELDS
from codearena_plugin.prompts.files import read_rows, sha256_of
from codearena_plugin.prompts.suite import listed
from codearena_plugin.records import Answer, CallError, Game, Label, Order, Reply, Verdict

_ENDINGS = (".jsonl", ".jsonl.gz")
NO_KEY = ""  # the request of an imported reply is not known, and nothing is stored under this key


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a user says about an import that its files do not.

    Attributes:
        baseline, judge_model, model: who was the opponent, the judge, the author of the answers.
        suite, data: where the questions are, as for ``codearena judge``; ``None`` twice: they are not at hand.
        answers: file or folder with the answers that were judged.
        min_coverage: below this share of scored prompts no score is given; ``None``: 0.95.
    """

    baseline: str | None = None
    judge_model: str | None = None
    model: str | None = None
    suite: str | None = None
    data: str | None = None
    answers: Path | None = None
    min_coverage: float | None = None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was imported: every row of it was used, or is counted as skipped."""

    path: Path
    sha256: str
    rows: int
    skipped: int = 0

    @classmethod
    def of(cls, path: Path, rows: int, skipped: int = 0) -> SourceFile:
        """Return the description of a file as it lies on disk now."""
        return cls(path, sha256_of(path), rows, skipped)


@dataclass
class Agreement:
    """How our own parser reads the replies beside the verdicts that came with them; the latter are of record.

    Attributes:
        counts: "agrees", "other_label" (both read one), "only_the_file" and "only_ours" (one of the two reads none).
    """

    counts: Counter[str] = field(default_factory=Counter)

    @property
    def disagreements(self) -> int:
        """Replies that we read otherwise than the file says."""
        return sum(n for kind, n in self.counts.items() if kind != "agrees")

    def note(self, stored: Label | None, ours: Label | None) -> None:
        """Count one reply."""
        if stored == ours:
            kind = "agrees"
        elif stored is not None and ours is not None:
            kind = "other_label"
        else:
            kind = "only_ours" if stored is None else "only_the_file"
        self.counts[kind] += 1


def jsonl_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files that paths mean: files as they are, folders by the ``.jsonl`` files below them, sorted.

    Raises:
        DataError: a path is not there, or a folder holds no such file.
    """
    found: list[Path] = []
    for given in paths:
        path = given.expanduser()
        if path.is_file():
            found.append(path)
            continue
        below = sorted(file for file in path.rglob("*") if file.name.endswith(_ENDINGS) and file.is_file())
        if not below:
            what = "holds no .jsonl file" if path.is_dir() else "does not exist"
            msg = f"{str(given)!r} {what}; expected a .jsonl or .jsonl.gz file, or a folder with some."
            raise DataError(msg)
        found += below
    return found


def stem(path: Path) -> str:
    """Return the name of a file without its endings.

    >>> stem(Path("model_judgment/gpt-4.1/qwq-32b.jsonl.gz"))
    'qwq-32b'
    """
    return path.name.removesuffix(".gz").removesuffix(".jsonl")


def refuse(where: str, name: str, got: Any, expected: str) -> NoReturn:
    """Raise a DataError that names file, line and field."""
    msg = f"{where}: field {name!r}: got {repr(got)[:80]} ({type(got).__name__}), expected {expected}."
    raise DataError(msg)


def prompt_id_of(row: Mapping[str, Any], where: str) -> str:
    """Return the id that a row has under one of its known names."""
    name = next((name for name in ID_FIELDS if name in row), "uid")
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        refuse(where, name, value, "the id of a prompt")
    return str(value)


def optional_name(row: Mapping[str, Any], name: str, where: str) -> str | None:
    """Return a name that a row may have; an empty one is none."""
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        refuse(where, name, value, "a name, or nothing")
    return value or None


def read_game(
    prompt_id: str, order: Order, label: Label | None, text: str | None, absent: str, agreement: Agreement
) -> Game:
    """Return a game whose verdict is what its file says; without one, a status that is counted and never scored.

    Args:
        prompt_id: of the prompt that was judged.
        order: who was shown first.
        label: as the file has it; ``None`` where it has none.
        text: of the judge; ``None`` where the file has none.
        absent: why there is neither.
        agreement: told how our parser reads the text.
    """
    if text is None:
        error = CallError("missing", absent)
        if label is not None:
            return Game(prompt_id, order, (), (), Verdict("scored", label))
        failed = Verdict("transport-error", reason=f"{error.kind}: {error.message}")
        return Game(prompt_id, order, (NO_KEY,), (Reply(error=error),), failed)
    reply = Reply(text=text)
    ours = read_verdict([reply])
    agreement.note(label, ours.label)
    if label is not None:
        verdict = Verdict("scored", label)
    elif ours.label is None:
        verdict = ours
    else:
        verdict = Verdict("unparsable", reason=f"the file has no verdict, though the reply names {ours.label}")
    return Game(prompt_id, order, (NO_KEY,), (reply,), verdict)


def read_answers_of_models(path: Path) -> dict[str, dict[str, Answer]]:
    """Return model -> prompt id -> answer, from a file or a folder of answers.

    Known lines: ours (``{id, response, model?}``), and arena-hard-auto's of both versions (``messages``, ``choices``).
    Where a line names no model, the file's name does.

    Raises:
        DataError: a line cannot be read, or a model answers a prompt twice.
    """
    found: dict[str, dict[str, Answer]] = {}
    for file in jsonl_files([path]):
        for number, row in read_rows(file):
            where = f"{file}:{number}"
            model = optional_name(row, "model", where) or optional_name(row, "model_id", where) or _model_of(file)
            answer = Answer(prompt_id_of(row, where), model, _answer_text(row, where), _reason(row, where))
            of_model = found.setdefault(model, {})
            if answer.prompt_id in of_model:
                msg = f"{where}: {model!r} has answered {answer.prompt_id[:80]!r} before; expected one answer each."
                raise DataError(msg)
            of_model[answer.prompt_id] = answer
    return found


def answers_for(
    answers: Mapping[str, Mapping[str, Answer]], model: str, prompt_ids: Sequence[str], where: object
) -> tuple[Answer, ...]:
    """Return a model's answers to these prompts; all of them absent where it has none at all.

    Raises:
        DataError: it has some and not all.
    """
    if model not in answers:
        return tuple(Answer(prompt_id, model, "", is_absent=True) for prompt_id in prompt_ids)
    missing = [prompt_id for prompt_id in prompt_ids if prompt_id not in answers[model]]
    if missing:
        msg = f"{where}: {model!r} has no answer to {len(missing)} of {len(prompt_ids)} prompts: {listed(missing)}."
        raise DataError(msg)
    return tuple(answers[model][prompt_id] for prompt_id in prompt_ids)


def _model_of(file: Path) -> str:
    return stem(file).removeprefix("answers_")


def _reason(row: Mapping[str, Any], where: str) -> str | None:
    return optional_name(row, "finish_reason", where)


def _answer_text(row: Mapping[str, Any], where: str) -> str:
    name = next((name for name in TEXT_FIELDS if name in row), None)
    match row:
        case {"messages": [*_, {"role": "assistant", "content": {"answer": text}}]}:
            name = "messages[-1].content.answer"
        case {"messages": [*_, {"role": "assistant", "content": text}]}:
            name = "messages[-1].content"
        case {"choices": [{"turns": [{"content": text}]}, *_]}:
            name = "choices[0].turns[0].content"
        case _:
            text = row.get(name or "response")
    if not isinstance(text, str):
        refuse(where, name or "response", text, "the text of an answer (empty where the model said nothing)")
    return text
