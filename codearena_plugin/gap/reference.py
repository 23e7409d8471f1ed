"""The published execution numbers that the package ships, read from ``data/`` and checked on the way.

``data/README.md`` names the sources, the misprints, and how the numbers of problems were found.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import yaml

from codearena_plugin.errors import DataError
from codearena_plugin.gap.execution import Execution, base_and_plus, counted
from codearena_plugin.languages import NAMES
from codearena_plugin.leaderboard.shipped import ADVICE, Cells, read_csv, read_text, wrong

DATA = Path(__file__).with_name("data")
Source = Literal["paper", "evalplus"]
SOURCES: tuple[Source, ...] = get_args(Source)
TABLE4 = "arXiv:2412.05210v1, Table 4, corrected"
TABLE16 = "arXiv:2409.12186v3, Table 16"
LEADERBOARD = "EvalPlus leaderboard, 2024-12-26 (evalplus.github.io 87418456d3a8)"
SIZES: Mapping[str, tuple[int, ...]] = {
    "humaneval": (164,),
    "mbpp": (378, 399),  # MBPP+ v0.2.0 and v0.1.0
    "bigcodebench": (1140,),
    "bigcodebench_hard": (148,),
}
"""Benchmark -> how many problems it has or had, the present number first; base and plus tests share them."""

_EVALPLUS_COLUMNS = ("humaneval", "humaneval+", "mbpp", "mbpp+")
_LANGUAGES: Mapping[str, str] = {
    column: NAMES[column] for column in ("python", "java", "cpp", "csharp", "typescript", "javascript", "php", "bash")
}
_TABLE4_COLUMNS = ("model", *_EVALPLUS_COLUMNS, *_LANGUAGES, "multipl_e")
_TABLE16_COLUMNS = ("model", "bigcodebench", "bigcodebench_hard", "livecodebench")
_LEADERBOARD_COLUMNS = ("model", "codearena", "prompted", *_EVALPLUS_COLUMNS)
_SHARE = re.compile(r"\d{1,2}\.\d|100\.0")


class Misprint(NamedTuple):
    """One wrong cell of Table 4."""

    model: str
    cell: str
    printed: str
    corrected: str
    certainty: str
    footnote: str
    reason: str


@functools.cache
def shipped(source: Source) -> tuple[Execution, ...]:
    """Return the published numbers of a source, in printed order.

    Raises:
        DataError: the package's own files are damaged.
    """
    return load_paper() if source == "paper" else load_leaderboard()


def load_paper(folder: Path = DATA) -> tuple[Execution, ...]:
    """Return pass@1 of the paper's Table 4, corrected, and of Table 16 of the report that most of it comes from.

    MultiPL-E is there by programming language too, without the number of problems, which is not printed.

    Raises:
        DataError: a file cannot be read, or does not agree with itself or the others; names file, row and column.
    """
    printed = read_csv(folder / "table4.csv", _TABLE4_COLUMNS)
    notes: dict[tuple[str, str], str] = {}
    for found in load_misprints(folder):
        _correct(folder / "errata.yaml", printed, found)
        for column in (found.cell, *(["multipl_e"] if found.cell in _LANGUAGES else [])):
            notes[found.model, column] = found.footnote
    rows = []
    for model, cells in printed.items():
        _check_average(folder / "table4.csv", cells)
        columns = [*_EVALPLUS_COLUMNS, "multipl_e"]
        for one in _row(folder / "table4.csv", cells, columns, TABLE4, _engine_of_table4):
            note = notes.get((model, one.benchmark))
            rows.append(dataclasses.replace(one, notes=(note,)) if note else one)
        for one in _row(folder / "table4.csv", cells, list(_LANGUAGES), TABLE4, lambda _: "MultiPL-E"):
            note = notes.get((model, one.benchmark))
            part = dataclasses.replace(one, benchmark="multipl_e", language=_LANGUAGES[one.benchmark])
            rows.append(dataclasses.replace(part, notes=(note,)) if note else part)
    second = read_csv(folder / "table16.csv", _TABLE16_COLUMNS)
    for model, cells in second.items():
        if model not in printed:
            raise wrong(folder / "table16.csv", model, "model", model, "a model of table4.csv")
        rows += _row(folder / "table16.csv", cells, _TABLE16_COLUMNS[1:], TABLE16, _engine_of_table16)
    return tuple(rows)


def load_leaderboard(folder: Path = DATA) -> tuple[Execution, ...]:
    """Return pass@1 of EvalPlus' leaderboard.

    Raises:
        DataError: the file cannot be read; names row and column.
    """
    path = folder / "evalplus.csv"
    rows: list[Execution] = []
    aliases: set[str] = set()
    for model, cells in read_csv(path, _LEADERBOARD_COLUMNS).items():
        alias = cells["codearena"]
        if alias and alias in aliases:
            raise wrong(path, model, "codearena", alias, "a model that no other row has")
        aliases.add(alias)
        if cells["prompted"] not in {"yes", "no"}:
            raise wrong(path, model, "prompted", cells["prompted"], "yes or no")
        found = _row(path, cells, _EVALPLUS_COLUMNS, LEADERBOARD, lambda _: "EvalPlus")
        rows += [dataclasses.replace(one, alias=alias) for one in found]
    return tuple(rows)


def load_misprints(folder: Path = DATA) -> list[Misprint]:
    """Return the errata of Table 4.

    Raises:
        DataError: the file is no list of errata.
    """
    path = folder / "errata.yaml"
    try:
        return [
            Misprint(model, cell, wrong, right, kind["certainty"], kind["footnote"], kind["reason"])
            for kind in yaml.safe_load(read_text(path))
            for model, cell, wrong, right in kind["rows"]
        ]
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as exc:
        msg = f"{str(path)!r} is no list of errata ({' '.join(str(exc).split())}). {ADVICE}"
        raise DataError(msg) from exc


def problems_of(benchmark: str, base: str, plus: str) -> int | None:
    """Return on how many problems two printed shares in per cent rest; ``None`` where the benchmark's are not known.

    Where several numbers are possible, the one that both shares are whole counts of; the present one if that leaves a
    choice or none.

    >>> problems_of("mbpp+", "86.2", "74.7"), problems_of("mbpp+", "90.2", "75.1")
    (399, 378)
    """
    sizes = SIZES.get(benchmark) or SIZES.get(base_and_plus(benchmark)[0])
    if sizes is None:
        return None
    return next((n for n in sizes if all(_is_count(share, n) for share in (base, plus) if share)), sizes[0])


def _is_count(share: str, n: int) -> bool:
    return abs(round(float(share) * n / 100) * 100 / n - float(share)) <= 0.05 + 1e-9


def _correct(path: Path, printed: dict[str, Cells], found: Misprint) -> None:
    """Put the corrected value into the table; refuse one that corrects nothing, or something that is not printed."""
    stands = printed.get(found.model, {}).get(found.cell)
    if stands != found.printed or found.corrected == stands:
        raise wrong(path, found.model, found.cell, found.printed, f"a correction of the printed {stands}")
    printed[found.model][found.cell] = found.corrected


def _check_average(path: Path, cells: Cells) -> None:
    """Refuse a MultiPL-E average that is not the mean of its languages."""
    languages = [cells[name] for name in _LANGUAGES]
    if not cells["multipl_e"]:
        return
    if not all(_SHARE.fullmatch(cell) for cell in [*languages, cells["multipl_e"]]):
        raise wrong(path, cells["model"], "multipl_e", cells["multipl_e"], "nothing where a language is missing")
    mean = math.fsum(map(float, languages)) / len(languages)
    if abs(mean - float(cells["multipl_e"])) > 0.051:
        raise wrong(path, cells["model"], "multipl_e", cells["multipl_e"], f"{mean:.1f}, the mean of its languages")


def _engine_of_table4(benchmark: str) -> str:
    return "MultiPL-E" if benchmark == "multipl_e" else "EvalPlus, version not stated"


def _engine_of_table16(benchmark: str) -> str:
    return "LiveCodeBench" if benchmark == "livecodebench" else "BigCodeBench"


def _row(
    path: Path, cells: Cells, columns: list[str] | tuple[str, ...], source: str, engine: Callable[[str], str]
) -> Iterator[Execution]:
    """Yield the numbers of one row; an empty cell is no number."""
    for column in columns:
        if cells[column] and not _SHARE.fullmatch(cells[column]):
            raise wrong(path, cells["model"], column, cells[column], "pass@1 in per cent with one decimal, as 87.2")
    for column in (column for column in columns if cells[column]):
        cell = cells[column]
        base, plus = (cells.get(name, "") for name in base_and_plus(column))
        n = problems_of(column, base, plus)
        yield Execution(
            model=cells["model"],
            benchmark=column,
            estimate=round(float(cell) / 100, 3),
            measured=counted(round(float(cell) * n / 100), n) if n else None,
            n_expected=n,
            engine=engine(column),
            source=source,
            is_reference=True,
        )
