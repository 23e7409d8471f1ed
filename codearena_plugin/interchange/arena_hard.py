"""Verdicts in arena-hard-auto's format: ``data/<bench>/model_judgment/<judge>/<model>.jsonl``.

v2 has ``{"uid", "category", "judge", "model", "baseline", "games": [{"score", "judgment": {"answer"}}, …]}``, v0.1
``{"question_id", "model", "judge", "games": [{"score", "judgment", "user_prompt"}, …]}`` and no baseline. In the first
game A is the baseline, in the second the model. A game may be ``null``, and so may its score.

The score of the file is the verdict of record. How often our parser reads a judgment otherwise is counted. Categories
are suites of their own, as they are there: each has its own baseline.

References:
    lmarena/arena-hard-auto, ``gen_judgment.py`` and ``show_result.py`` (whose ten labels are known here) at 196f6b8;
    lm-sys/arena-hard-auto, ``gen_judgment.py`` of v0.1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from codearena_plugin.errors import DataError
from codearena_plugin.interchange.imports import Import, judge_of_import, known_suite
from codearena_plugin.interchange.reading import (
    Agreement,
    ImportOptions,
    SourceFile,
    answers_for,
    jsonl_files,
    optional_name,
    prompt_id_of,
    read_answers_of_models,
    read_game,
    refuse,
    stem,
)
from codearena_plugin.prompts.files import read_rows
from codearena_plugin.prompts.suite import Suite, listed
from codearena_plugin.records import LABELS, ORDERS, Answer, Game, Label, Order
from codearena_plugin.runs.imported import bare_suite

NOTICE = (
    "imported from arena-hard-auto: its judge prompt and sampling are not in the file; "
    "scored by CodeArena's rule, which is not arena-hard's"
)
_FOLDER = "model_judgment"
_SAME: Mapping[str, Label] = {
    **{label: label for label in LABELS},
    "A<<B": "B>>A",
    "A<B": "B>A",
    "B=A": "A=B",
    "B<A": "A>B",
    "B<<A": "A>>B",
}


class Family(NamedTuple):
    """What verdicts must share to be compared with each other."""

    version: Literal["v2", "v0.1"]
    judge: str
    baseline: str
    category: str | None


@dataclass(frozen=True, slots=True)
class _Row:
    where: str
    family: Family
    model: str
    prompt_id: str
    games: tuple[Any, ...]


def import_arena_hard(paths: Sequence[Path], options: ImportOptions) -> list[Import]:
    """Return one import for every model, judge, baseline and category in the files.

    The prompts of a family are those that any of its models was judged on: a model that lacks some has them unscored,
    and its coverage says so. With a suite they are the suite's.

    Args:
        paths: files, or folders of them; of a benchmark's folder only ``model_judgment`` is read.
        options: ``baseline`` and ``judge_model`` stand in where rows name none, and must not contradict them.

    Raises:
        DataError: a line cannot be read, a label is unknown, a model was judged twice on one prompt, or answers or
            questions do not fit; names file and line.
    """
    files = jsonl_files([path / _FOLDER if (path / _FOLDER).is_dir() else path for path in paths])
    rows: list[_Row] = []
    sources: dict[str, SourceFile] = {}
    for file in files:
        found = list(_rows(file, options))
        if not found:
            msg = f"{file}: no line in it; expected verdicts of arena-hard-auto."
            raise DataError(msg)
        sources[str(file)] = SourceFile.of(file, len(found))
        rows += found
    return list(_imports(_by_family(rows), sources, options))


def _rows(file: Path, options: ImportOptions) -> Iterator[_Row]:
    for number, row in read_rows(file):
        where = f"{file}:{number}"
        games = row.get("games")
        if not isinstance(games, list) or len(games) > len(ORDERS):
            refuse(where, "games", games, "arena-hard-auto's list of two games")
        if "uid" not in row and "question_id" not in row:
            refuse(where, "uid", None, "the id of a question, as uid (v2) or question_id (v0.1)")
        version: Literal["v2", "v0.1"] = "v2" if "uid" in row else "v0.1"
        category = optional_name(row, "category", where) if version == "v2" else None
        family = Family(version, _judge(row, file, where, options), _baseline(row, where, options), category)
        model = optional_name(row, "model", where) or stem(file)
        yield _Row(where, family, model, prompt_id_of(row, where), tuple(games))


def _judge(row: Mapping[str, Any], file: Path, where: str, options: ImportOptions) -> str:
    of_folder = file.resolve().parent
    named = optional_name(row, "judge", where) or (of_folder.name if of_folder.parent.name == _FOLDER else None)
    return _settled("judge", named, options.judge_model, "--judge-model", where)


def _baseline(row: Mapping[str, Any], where: str, options: ImportOptions) -> str:
    return _settled("baseline", optional_name(row, "baseline", where), options.baseline, "--baseline", where)


def _settled(what: str, named: str | None, given: str | None, flag: str, where: str) -> str:
    if named and given and named != given:
        msg = f"{where}: the {what} is {named[:80]!r}, and {flag} says {given!r}. Leave the option out."
        raise DataError(msg)
    if not named and not given:
        msg = f"{where}: the line does not name its {what}. Say who it was with {flag} NAME."
        raise DataError(msg)
    return named or given or ""


def _by_family(rows: Iterable[_Row]) -> dict[Family, dict[str, dict[str, _Row]]]:
    """Return family -> model -> prompt id -> row."""
    found: dict[Family, dict[str, dict[str, _Row]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        of_model = found[row.family][row.model]
        if row.prompt_id in of_model:
            msg = (
                f"{row.where}: {row.model[:80]!r} was judged on {row.prompt_id[:80]!r} before, in "
                f"{of_model[row.prompt_id].where}; expected one line each."
            )
            raise DataError(msg)
        of_model[row.prompt_id] = row
    return found


def _imports(
    families: Mapping[Family, Mapping[str, Mapping[str, _Row]]],
    sources: Mapping[str, SourceFile],
    options: ImportOptions,
) -> Iterator[Import]:
    answers = read_answers_of_models(options.answers) if options.answers else {}
    _check_models(answers, families, options)
    several = {name: len({getattr(family, name) for family in families}) > 1 for name in Family._fields}
    for family, models in families.items():
        suite, has_questions = _suite(family, models, sources, options)
        ids = [prompt.id for prompt in suite.prompts]
        judge = judge_of_import(
            family.judge,
            card=f"arena-hard-auto {family.version} (imported)",
            notice=NOTICE,
            min_coverage=options.min_coverage,
        )
        for model, rows in models.items():
            agreement = Agreement()
            games = tuple(game for prompt_id in ids for game in _games(prompt_id, rows.get(prompt_id), agreement))
            files = dict.fromkeys(row.where.rpartition(":")[0] for row in rows.values())
            yield Import(
                model=model,
                suite=suite,
                has_questions=has_questions,
                games=games,
                answers=answers_for(answers, model, ids, options.answers),
                judge=judge,
                format=f"arena-hard-auto {family.version}",
                files=tuple(sources[file] for file in files),
                n_rows=len(rows),
                agreement=agreement,
                stated=_stated(options),
                labels=tuple(str(getattr(family, name)) for name, many in several.items() if many),
            )


def _suite(
    family: Family, models: Mapping[str, Mapping[str, _Row]], sources: Mapping[str, SourceFile], options: ImportOptions
) -> tuple[Suite, bool]:
    ids = {prompt_id: row.where for rows in models.values() for prompt_id, row in rows.items()}
    suite = known_suite(options, family.baseline)
    if suite is None:
        name = f"arena-hard-auto/{family.category}" if family.category else "arena-hard-auto"
        files = {row.where.rpartition(":")[0] for rows in models.values() for row in rows.values()}
        (first, *others) = sorted(files)
        source = f"{len(files)} files of verdicts" if others else f"{first} (sha256 {sources[first].sha256[:16]})"
        return bare_suite(name, ids, family.baseline, source=source), False
    unknown = [prompt_id for prompt_id in ids if prompt_id not in suite.by_id]
    if unknown:
        msg = (
            f"{ids[unknown[0]]}: {len(unknown)} ids are not in the suite {suite.name!r}: {listed(unknown)}; "
            f"its ids look like {suite.prompts[0].id!r}."
        )
        raise DataError(msg)
    return suite, True


def _games(prompt_id: str, row: _Row | None, agreement: Agreement) -> Iterator[Game]:
    for place, order in enumerate(ORDERS):
        if row is None:
            yield read_game(prompt_id, order, None, None, "no line for this prompt in the import", agreement)
        else:
            game = row.games[place] if place < len(row.games) else None
            yield _game(row, game, order, agreement)


def _game(row: _Row, game: Any, order: Order, agreement: Agreement) -> Game:
    if game is None:
        return read_game(row.prompt_id, order, None, None, "the line has no such game", agreement)
    if not isinstance(game, dict):
        refuse(row.where, "games", game, "an object with a score, or null")
    score = game.get("score")
    label = _SAME.get(score.strip()) if isinstance(score, str) else None
    if score is not None and label is None:
        refuse(row.where, "score", score, f"one of {', '.join(_SAME)}, or null")
    text = _text(row, game.get("judgment"))
    return read_game(row.prompt_id, order, label, text, "neither score nor judgment in the file", agreement)


def _text(row: _Row, judgment: Any) -> str | None:
    text = judgment.get("answer") if isinstance(judgment, dict) else judgment
    if text is not None and not isinstance(text, str):
        refuse(row.where, "judgment", judgment, "the judge's text, an object with it as 'answer', or null")
    return text


def _check_models(
    answers: Mapping[str, Mapping[str, Answer]], families: Mapping[Family, Mapping[str, Any]], options: ImportOptions
) -> None:
    models = {model for of_family in families.values() for model in of_family}
    if answers and not models & answers.keys():
        msg = (
            f"{options.answers}: answers of {listed(sorted(answers))}, and none of the models that were judged: "
            f"{listed(sorted(models))}. Leave --answers out, or name the right file."
        )
        raise DataError(msg)


def _stated(options: ImportOptions) -> dict[str, str]:
    said = {"baseline": options.baseline, "judge_model": options.judge_model}
    return {name: value for name, value in said.items() if value}
