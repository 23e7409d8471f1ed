"""Runs from lm-eval's ``samples_*.jsonl`` of our tasks: what ``--log_samples`` wrote holds every reply of the judge.

``samples_codearena*.jsonl`` has questions, baseline answers, answers and games, ``samples_judge_codearena*.jsonl`` only
games: there the answers stand inside judge prompts. Who judged and whose the baseline was is in neither, but in our own
file beside them (``codearena…_<date>.json``). Where its hash of the games is that of these samples, the run is the one
that lm-eval made, and compares as it did. Where that file is absent, the user says what is known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from codearena_plugin.errors import DataError
from codearena_plugin.interchange.imports import Import, judge_of_import, known_suite
from codearena_plugin.interchange.reading import (
    Agreement,
    ImportOptions,
    answers_for,
    jsonl_files,
    read_answers_of_models,
    stem,
)
from codearena_plugin.interchange.samples import Samples, games_of, prompt_of, read_samples, response, suite_row
from codearena_plugin.judging.protocol.parse import read_verdict
from codearena_plugin.prompts.suite import Suite, answered_part, fingerprint, listed
from codearena_plugin.records import Answer, Game
from codearena_plugin.runs.files import answers_sha256, games_sha256
from codearena_plugin.runs.imported import UNKNOWN, bare_suite
from codearena_plugin.runs.result import SCHEMA

NOTICE = "imported from lm-eval samples alone: judge card, prompt and sampling are not in the file"
CARD = "lm-eval samples (imported)"
FORMAT = "lm-eval samples"
_OURS = ("samples_codearena", "samples_judge_codearena")
_NO_GAMES = ("samples_codearena_humaneval_plus", "samples_codearena_mbpp_plus")  # beside ours where both were asked
_FROM_FILES = "codearena"  # the suite of ours that can be read from a file


def import_samples(paths: Sequence[Path], options: ImportOptions) -> list[Import]:
    """Return one import per file.

    Args:
        paths: ``samples_codearena*.jsonl`` or ``samples_judge_codearena*.jsonl``, or folders with such files.
        options: what no file says; nothing of it may contradict our own file beside the samples.

    Raises:
        DataError: a line cannot be read, a file holds answers and no verdicts, our file beside it is of other games, or
            something that only the user can know was not said; names file and line.
    """
    named = {path.expanduser() for path in paths}
    files = [file for file in jsonl_files(paths) if file in named or _may_hold_games(file.name)]
    if not files:
        msg = f"{str(paths[0])!r} holds no {_OURS[0]}*.jsonl and no {_OURS[1]}*.jsonl."
        raise DataError(msg)
    return [_import(read_samples(file), options) for file in files]


def _may_hold_games(name: str) -> bool:
    return name.startswith(_OURS) and not name.startswith(_NO_GAMES)


def _import(samples: Samples, options: ImportOptions) -> Import:
    if not samples.are_games and not any("judgement" in line.row for line in samples.lines):
        msg = (
            f"{samples.file}: answers and no verdicts (made with --predict_only?). "
            f"codearena judge {samples.file} judges them."
        )
        raise DataError(msg)
    games = [game for line in samples.lines for game in games_of(line, is_game=samples.are_games)]
    original = _original(samples.file, games)
    return _alone(samples, games, options) if original is None else _as_it_was(samples, games, original, options)


def _original(file: Path, games: Sequence[Game]) -> Mapping[str, Any] | None:
    """Return the result that lm-eval's run wrote beside its samples; ``None`` where it is not there.

    Raises:
        DataError: it is there and is of other games.
    """
    name = stem(file).removeprefix("samples_")
    path = file.with_name(f"{name if name.startswith('codearena') else f'codearena_{name}'}.json")
    if not path.is_file():
        return None
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
        schema, sha256 = result["schema"], result["manifest"]["games_sha256"]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        msg = f"{str(path)!r} cannot be read as the result of these samples ({type(exc).__name__}: {exc})."
        raise DataError(msg) from exc
    if schema != SCHEMA or sha256 != games_sha256(games):
        msg = (
            f"{str(path)!r} is not the result of the games in {str(file)!r}: one of them was changed. "
            "Move the samples elsewhere to import them without it."
        )
        raise DataError(msg)
    return result


def _refuse_constant(name: str) -> None:
    msg = f"it holds {name}, expected numbers or null"
    raise ValueError(msg)


def _as_it_was(samples: Samples, games: Sequence[Game], original: Mapping[str, Any], options: ImportOptions) -> Import:
    manifest = original["manifest"]
    known = {
        "--model": (options.model, manifest["model"]),
        "--baseline": (options.baseline, manifest["suite"]["baseline"]),
        "--judge-model": (options.judge_model, manifest["judge"]["model"]),
    }
    for flag, (said, true) in known.items():
        if said and said != true:
            msg = f"{samples.file}: {flag} says {said!r}, and lm-eval's run beside it {true!r}. Leave the option out."
            raise DataError(msg)
    if options.min_coverage is not None:
        msg = f"{samples.file}: this is lm-eval's own run; codearena rescore RUN --min-coverage changes its bar later."
        raise DataError(msg)
    model, made_with = str(manifest["model"]), manifest["suite"]
    suite = _suite_of_docs(samples, str(made_with["name"]), str(made_with["baseline"]))
    in_order = tuple(suite.by_id[prompt_id] for prompt_id in samples.prompt_ids)
    suite = replace(suite, prompts=in_order, fingerprint=str(made_with["fingerprint"]))
    answers = _answers(samples, model, suite, options)
    sha256 = str(manifest["answers"]["sha256"])
    if not answers[0].is_absent and answers_sha256(answers) != sha256:
        where = options.answers if samples.are_games else samples.file
        msg = f"{where}: not the answers that were judged (theirs have sha256 {sha256[:12]})."
        raise DataError(msg)
    return replace(_made(samples, model, suite, games, answers, manifest["judge"]), original=original)


def _alone(samples: Samples, games: Sequence[Game], options: ImportOptions) -> Import:
    for flag, what, said in (
        ("--model", "whose answers were judged", options.model),
        ("--baseline", "whose answers are the baseline's", options.baseline),
    ):
        if not said:
            msg = (
                f"{samples.file}: the samples do not say {what}, and lm-eval's own file of the run, codearena…json, is "
                f"not beside them. Say it with {flag} NAME."
            )
            raise DataError(msg)
    model, baseline = str(options.model), str(options.baseline)
    suite = _suite_named(samples, options, baseline) or _suite_of_docs(samples, _task(samples.file), baseline)
    orders = {game.order for game in games}
    judge = judge_of_import(
        options.judge_model or f"{UNKNOWN}, of {samples.file.name} (sha256 {samples.source.sha256[:12]})",
        card=CARD,
        notice=NOTICE,
        min_coverage=options.min_coverage,
    )
    judge["order"] = orders.pop() if len(orders) == 1 else "both"
    place = {prompt.id: at for at, prompt in enumerate(suite.prompts)}
    in_order = sorted(games, key=lambda game: (place[game.prompt_id], game.order == "answer_first"))
    stated = {"model": model, "baseline": baseline, "judge_model": options.judge_model}
    found = _made(samples, model, suite, in_order, _answers(samples, model, suite, options), judge)
    return replace(found, stated={name: value for name, value in stated.items() if value})


def _task(file: Path) -> str:
    """Return the task that the name of a samples file names."""
    return stem(file).removeprefix("samples_").rpartition("_")[0] or FORMAT


def _suite_named(samples: Samples, options: ImportOptions, baseline: str) -> Suite | None:
    """Return the part of the user's suite that was asked, as lm-eval's ``--limit`` makes it."""
    suite = known_suite(options, baseline)
    if suite is None:
        return None
    unknown = [prompt_id for prompt_id in samples.prompt_ids if prompt_id not in suite.by_id]
    if unknown:
        msg = f"{samples.file}: {len(unknown)} ids are not in the suite {suite.name!r}: {listed(unknown)}."
        raise DataError(msg)
    return answered_part(suite, samples.prompt_ids)


def _suite_of_docs(samples: Samples, name: str, baseline: str) -> Suite:
    source = f"{samples.file} (sha256 {samples.source.sha256[:16]})"
    if samples.are_games:
        return bare_suite(name, samples.prompt_ids, baseline, source=source)
    prompts = tuple(prompt_of(line, baseline) for line in samples.lines)
    return Suite(name, "(imported)", UNKNOWN, source, fingerprint(prompts, baseline), baseline, prompts)


def _answers(samples: Samples, model: str, suite: Suite, options: ImportOptions) -> tuple[Answer, ...]:
    """Return the answers, in the order of the suite; absent where they are in no file."""
    ids = [prompt.id for prompt in suite.prompts]
    if not samples.are_games:
        texts = {line.prompt_id: response(line) for line in samples.lines}
        return tuple(Answer(prompt_id, model, texts[prompt_id]) for prompt_id in ids)
    answers = read_answers_of_models(options.answers) if options.answers else {}
    if answers and model not in answers:
        msg = f"{options.answers}: answers of {listed(sorted(answers))}, and none of {model!r}, which was judged."
        raise DataError(msg)
    return answers_for(answers, model, ids, options.answers)


def _made(
    samples: Samples,
    model: str,
    suite: Suite,
    games: Sequence[Game],
    answers: tuple[Answer, ...],
    judge: Mapping[str, Any],
) -> Import:
    agreement = Agreement()
    for game in games:
        if game.replies and game.replies[-1].error is None:
            agreement.note(game.verdict.label, read_verdict(game.replies, mode=judge["mode"]).label)
    keep_rows = suite.name == _FROM_FILES and not samples.are_games
    return Import(
        model=model,
        suite=suite,
        has_questions=bool(suite.prompts[0].messages),
        games=tuple(games),
        answers=answers,
        judge=judge,
        format=FORMAT,
        files=(samples.source,),
        n_rows=len(samples.lines),
        agreement=agreement,
        suite_rows=tuple(suite_row(line, suite.baseline) for line in samples.lines) if keep_rows else (),
    )
