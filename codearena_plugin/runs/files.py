"""The run directory: ``answers.jsonl`` (written first), ``games.jsonl`` (the verdict file), ``result.json``."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codearena_plugin import paths
from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import DataError
from codearena_plugin.judging.ledger import game_to_json, read_games, write_games
from codearena_plugin.records import Answer, Game
from codearena_plugin.runs.result import SCHEMA, Result

ANSWERS, GAMES, RESULT = "answers.jsonl", "games.jsonl", "result.json"


@dataclass(frozen=True)
class StoredRun:
    """A finished run as it lies on disk."""

    path: Path
    result: dict[str, Any]
    games: tuple[Game, ...]
    answers: tuple[Answer, ...]

    @property
    def model(self) -> str:
        """The model whose answers were judged."""
        return str(self.result["manifest"]["model"])


def new_run_dir(suite: str, model: str, *, root: Path | None = None) -> Path:
    """Create and return a fresh directory for a run: ``<root>/<suite>/<model>-<UTC time>``."""
    safe = re.sub(r"[^\w.-]+", "_", model, flags=re.ASCII)[:80] or "model"
    path = (root or paths.home_dir() / "runs") / suite / f"{safe}-{stamp()}"
    return made(path)


def stamp() -> str:
    """Return the time in UTC, for names of directories: sortable, and fine enough to be unique."""
    return dt.datetime.now(dt.timezone.utc).strftime("%Y%m%dT%H%M%S.%f")


def made(path: Path) -> Path:
    """Create a directory, or say plainly why not.

    Raises:
        DataError: it cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        msg = f"Run directory {str(path)!r} cannot be made: {exc.strerror or exc}. Choose one with codearena_output."
        raise DataError(msg) from exc
    return path


def save_answers(directory: Path, answers: Sequence[Answer]) -> None:
    """Write the answers as they were given, before any of them is judged; an absent text is ``null``, never empty."""
    lines = (
        json.dumps({"id": a.prompt_id, "model": a.model, "response": _text(a), "finish_reason": a.finish_reason})
        for a in answers
    )
    _write(directory / ANSWERS, "".join(line + "\n" for line in lines))


def save_games(directory: Path, games: Sequence[Game]) -> None:
    """Write the verdict file.

    Raises:
        DataError: it cannot be written.
    """
    try:
        write_games(directory / GAMES, games)
    except OSError as exc:
        why = exc.strerror or exc
        msg = f"The games cannot be written to {str(directory)!r}: {why}. Replies are safe in the store."
        raise DataError(msg) from exc


def save_result(directory: Path, games: Sequence[Game], result: Result) -> None:
    """Write the verdict file, then the result that it supports."""
    save_games(directory, games)
    _write(directory / RESULT, json.dumps(result.to_json(), indent=1, ensure_ascii=True) + "\n")


def load_run(path: str | Path) -> StoredRun:
    """Return a stored run, by its directory, its result.json, or what lies in a harness' results.

    That is the copy beside lm-eval's own files, or OpenCompass' ``results/MODEL/DATASET.json`` beside the run.

    Raises:
        DataError: it is no run, or of another schema, or its files do not belong together.
    """
    given = Path(path).expanduser()
    if given.suffix == ".json" and (given.with_suffix("") / RESULT).is_file():
        given = given.with_suffix("")
    result_path = given if given.suffix == ".json" else given / RESULT
    try:
        result = json.loads(result_path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except OSError as exc:
        holds_runs = given.is_dir() and any(given.glob(f"*/{RESULT}"))
        hint = f" It holds runs: give {path}/*." if holds_runs else ""
        msg = f"{str(path)!r} is no finished run: {RESULT} cannot be read ({exc.strerror or exc}).{hint}"
        raise DataError(msg) from exc
    except ValueError as exc:
        msg = f"{str(result_path)!r} is not JSON: {exc}."
        raise DataError(msg) from exc
    if not isinstance(result, dict) or result.get("schema") != SCHEMA:
        found = result.get("schema") if isinstance(result, dict) else type(result).__name__
        msg = f"{str(result_path)!r} has schema {found!r}, expected {SCHEMA!r}."
        raise DataError(msg)
    beside = result_path.parent
    directory = beside if (beside / GAMES).exists() else Path(result["manifest"].get("run", beside))
    run = StoredRun(directory, result, tuple(read_games(directory / GAMES)), tuple(_answers(directory / ANSWERS)))
    _check_whole(run, result_path)
    return run


def _refuse_constant(name: str) -> None:
    """Refuse NaN and Infinity, which JSON does not have: our results write null."""
    msg = f"it holds {name}, expected numbers or null"
    raise ValueError(msg)


def _check_whole(run: StoredRun, result_path: Path) -> None:
    """Refuse a result whose games or answers are another run's: numbers of one beside texts of the other mislead."""
    manifest = run.result["manifest"]
    for what, now, then in (
        (ANSWERS, answers_sha256(run.answers), manifest["answers"]["sha256"]),
        (GAMES, _games_file_sha256(run, manifest["games_sha256"]), manifest["games_sha256"]),
    ):
        if now != then:
            msg = (
                f"{str(result_path)!r} and {str(run.path / what)!r} are not of one run "
                f"(sha256 {then[:12]} and {now[:12]}): another run was written over it. Judge again."
            )
            raise DataError(msg)


def _answers(path: Path) -> list[Answer]:
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
        return [
            Answer(row["id"], row["model"], row["response"] or "", row["finish_reason"], row["response"] is None)
            for row in rows
        ]
    except OSError as exc:
        msg = (
            f"{str(path)!r}, the answers of the run, cannot be read: {exc.strerror or exc}. Restore it, or judge again."
        )
        raise DataError(msg) from exc
    except (ValueError, KeyError, TypeError) as exc:
        msg = f"{str(path)!r} cannot be read as the answers of a run ({type(exc).__name__}: {exc})."
        raise DataError(msg) from exc


def answers_sha256(answers: Sequence[Answer]) -> str:
    """Return the sha256 over ids and texts, in order: equal hashes mean equal answers, where no text is absent."""
    canonical = json.dumps([[answer.prompt_id, _text(answer)] for answer in answers], separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _text(answer: Answer) -> str | None:
    return None if answer.is_absent else answer.text


def games_sha256(games: Sequence[Game]) -> str:
    """Return the sha256 over the games as the verdict file holds them."""
    digest = hashlib.sha256()
    for game in games:
        digest.update(json.dumps(game_to_json(game)).encode("ascii"))
    return digest.hexdigest()


def _games_file_sha256(run: StoredRun, expected: str) -> str:
    """Return the hash of a run's games: of the file's own lines, which saves writing all games again to hash them.

    A file that somebody laid out anew has other lines and the same games; then these are hashed.
    """
    lines = (run.path / GAMES).read_bytes().replace(b"\n", b"")
    found = hashlib.sha256(lines).hexdigest()
    return found if found == expected else games_sha256(run.games)


def refuse_foreign_run(directory: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse to write over a finished run of other answers, another suite or another judge.

    Raises:
        DataError: the directory holds such a run; says what differs.
    """
    if not (directory / RESULT).exists():
        return
    there, ours = (_identity(found) for found in (load_run(directory).result["manifest"], manifest))
    differs = [f"{what} {there[what]!r}, now {ours[what]!r}" for what in ours if there[what] != ours[what]]
    if differs:
        msg = f"{str(directory)!r} holds another run: {'; '.join(differs)}. Choose another directory."
        raise DataError(msg)


def _identity(manifest: Mapping[str, Any]) -> dict[str, str]:
    answers = f"sha256 {manifest['answers']['sha256'][:12]}"
    return {"model": str(manifest["model"]), "answers": answers, **protocol_of(manifest)}


def protocol_of(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return what must be equal for two scores to mean the same, by name."""
    suite, judge = manifest["suite"], manifest["judge"]
    return {
        "suite": f"{suite['name']} with {suite['baseline']}, {suite['n_prompts']} prompts, "
        f"fingerprint {suite['fingerprint'][:12]}",
        "judge card": str(judge["comparable_as"]),
        "judge prompt": f"sha256 {judge['prompt_sha256'][:12]}",
        "judge model": str(judge["model"]),
        "order": str(judge["order"]),
        "mode": str(judge["mode"]),
        "evidence": f"rules {manifest['evidence']['rules']}" if "evidence" in manifest else "none",
    }


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text)
    except OSError as exc:
        msg = f"{str(path)!r} cannot be written: {exc.strerror or exc}. Free the disk or choose another directory."
        raise DataError(msg) from exc
