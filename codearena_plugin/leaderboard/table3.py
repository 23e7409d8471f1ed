"""Table 3 of the paper: what it prints, what it counted, and its errata, read from ``data/`` and checked on the way.

The corrected table is not stored: it is made from the counts. Each printed cell must follow from them or have its
erratum, and each erratum must be needed; ``data/README.md`` says how the counts were found.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import yaml

from codearena_plugin.errors import DataError
from codearena_plugin.leaderboard.shipped import ADVICE, Cells, read_csv, read_text, wrong
from codearena_plugin.prompts.taxonomy import MAIN_CLASSES
from codearena_plugin.records import Interval
from codearena_plugin.scoring.rates import mean_interval

DATA = Path(__file__).with_name("data")
HEADINGS = ("ui", "development", "specialized", "tools", "emerging", "miscellaneous", "databases")
"""The printed columns, left to right; ``MAIN_CLASSES`` has the classes in the same order."""

Scope = Literal["overall", "classes", "size"]
Certainty = Literal["certain", "likely"]

_PRINTED_COLUMNS = ("model", "access", "size", *HEADINGS, "average")
_COUNT_COLUMNS = ("model", "n_also", *HEADINGS)
_AS_HEADER = "header order"
_RATES = re.compile(r"\d{1,3}\.\d/\d{1,3}\.\d")
_COUNTS = re.compile(r"\d+/\d+/\d+")


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted: prompts, and how many of them were won and tied."""

    wins: int
    ties: int
    n: int

    @property
    def losses(self) -> int:
        """How many were lost."""
        return self.n - self.wins - self.ties

    @property
    def share(self) -> Fraction:
        """The score, wins plus half the ties over prompts, exactly."""
        return Fraction(2 * self.wins + self.ties, 2 * self.n)

    @property
    def cell(self) -> str:
        """Win and tie rate in per cent, in the form of the printed table.

        >>> Counts(wins=192, ties=87, n=390).cell
        '49.2/22.3'
        """
        return f"{100 * self.wins / self.n:.1f}/{100 * self.ties / self.n:.1f}"

    @property
    def score(self) -> Interval:
        """The score in [0, 1] with its 95 % interval; one outcome per prompt."""
        return self._mean(win=1.0, tie=0.5, loss=0.0)

    @property
    def win_rate(self) -> Interval:
        """Share of prompts won, in [0, 1]."""
        return self._mean(win=1.0, tie=0.0, loss=0.0)

    @property
    def tie_rate(self) -> Interval:
        """Share of prompts tied, in [0, 1]."""
        return self._mean(win=0.0, tie=1.0, loss=0.0)

    @property
    def loss_rate(self) -> Interval:
        """Share of prompts lost, in [0, 1]."""
        return self._mean(win=0.0, tie=0.0, loss=1.0)

    def _mean(self, *, win: float, tie: float, loss: float) -> Interval:
        return mean_interval([win] * self.wins + [tie] * self.ties + [loss] * self.losses)


@dataclass(frozen=True, slots=True)
class Erratum:
    """One misprint.

    Attributes:
        mark: one letter, by which tables refer to ``footnote``.
        cell: a column of ``table3.csv``; or "columns", where ``corrected`` names the class under each heading.
        reason: why the corrected value is the right one, in a sentence or two.
    """

    kind: str
    mark: str
    scope: Scope
    certainty: Certainty
    cell: str
    printed: str
    corrected: str
    footnote: str
    reason: str


@dataclass(frozen=True)
class PublishedRow:
    """One model of the published table, corrected, with what was printed.

    Attributes:
        model: as the paper spells it.
        access: "closed" or "open".
        size: corrected; empty for closed models.
        rank: by the corrected score among all published rows, 1 the best; equal scores share the better rank.
        printed: column of ``table3.csv`` -> the printed cell.
        by_class: main class -> its counts, in the order of ``MAIN_CLASSES``.
        n_also: another number of prompts that fits the printed cells as well as ``total.n``.
        errata: of this row, by mark.
    """

    model: str
    access: str
    size: str
    rank: int
    printed: Mapping[str, str]
    by_class: Mapping[str, Counts]
    n_also: int | None
    errata: tuple[Erratum, ...]

    @cached_property
    def total(self) -> Counts:
        """Counts over all classes."""
        every = self.by_class.values()
        return Counts(sum(c.wins for c in every), sum(c.ties for c in every), sum(c.n for c in every))

    def marks(self, scope: Scope) -> tuple[str, ...]:
        """Return the marks of the errata that touch a part of the row."""
        return tuple(erratum.mark for erratum in self.errata if erratum.scope == scope)


def load_table(folder: Path = DATA) -> tuple[PublishedRow, ...]:
    """Return the published table, in printed order.

    Raises:
        DataError: a file cannot be read, or does not agree with the others; names file, row and column.
    """
    printed = read_csv(folder / "table3.csv", _PRINTED_COLUMNS)
    counted = read_csv(folder / "counts.csv", _COUNT_COLUMNS)
    errata = _read_errata(folder / "errata.yaml")
    for model in [*printed, *counted, *errata]:
        if model not in printed or model not in counted:
            raise wrong(folder, model, "model", model, "a row of this name in table3.csv and in counts.csv")
    rows = [_row(folder, cells, counted[model], errata.get(model, {})) for model, cells in printed.items()]
    shares = [row.total.share for row in rows]
    return tuple(dataclasses.replace(row, rank=1 + sum(s > row.total.share for s in shares)) for row in rows)


def _row(folder: Path, printed: Cells, counted: Cells, errata: Mapping[str, Erratum]) -> PublishedRow:
    """Return a row whose rank is still to be found."""
    model, where = printed["model"], folder / "counts.csv"
    row = PublishedRow(
        model=model,
        access=printed["access"],
        size=errata["size"].corrected if "size" in errata else printed["size"],
        rank=0,
        printed=printed,
        by_class={
            name: _read_counts(where, model, heading, counted[heading])
            for heading, name in zip(HEADINGS, MAIN_CLASSES, strict=True)
        },
        n_also=_read_n_also(where, model, counted["n_also"]),
        errata=tuple(sorted(errata.values(), key=lambda erratum: erratum.mark)),
    )
    _check_errata(folder / "errata.yaml", row)
    _check_printed(folder, row, errata)
    return row


def _check_errata(path: Path, row: PublishedRow) -> None:
    """Refuse an erratum that corrects nothing, or something that is not printed."""
    known = {**row.printed, "columns": _AS_HEADER}
    for erratum in row.errata:
        stands = known.get(erratum.cell)
        if erratum.printed != stands or erratum.corrected == stands:
            raise wrong(path, row.model, erratum.cell, erratum.printed, f"a correction of the printed {stands}")
        order = erratum.corrected.split()
        if erratum.cell == "columns" and (sorted(order) != sorted(HEADINGS) or order == [*HEADINGS]):
            raise wrong(path, row.model, "columns", erratum.corrected, f"another order of {' '.join(HEADINGS)}")


def _check_printed(folder: Path, row: PublishedRow, errata: Mapping[str, Erratum]) -> None:
    """Refuse a printed cell that neither follows from the counts nor has its erratum."""
    order = errata["columns"].corrected.split() if "columns" in errata else HEADINGS
    by_heading = dict(zip(HEADINGS, row.by_class.values(), strict=True))
    expected = {column: by_heading[stands].cell for column, stands in zip(HEADINGS, order, strict=True)}
    for column, counted in {**expected, "average": row.total.cell}.items():
        path, given = folder / "table3.csv", row.printed[column]
        if not _RATES.fullmatch(given):
            raise wrong(path, row.model, column, given, "win/tie in per cent, as 49.2/22.3")
        if column in errata:
            path, given = folder / "errata.yaml", errata[column].corrected
        if given != counted:
            raise wrong(path, row.model, column, given, f"{counted}, which counts.csv gives")


def _read_counts(path: Path, model: str, column: str, cell: str) -> Counts:
    if _COUNTS.fullmatch(cell):
        counts = Counts(*map(int, cell.split("/")))
        if counts.losses >= 0 and counts.n > 0:
            return counts
    raise wrong(path, model, column, cell, "wins/ties/prompts, as 25/12/45")


def _read_n_also(path: Path, model: str, cell: str) -> int | None:
    if cell and not cell.isdecimal():
        raise wrong(path, model, "n_also", cell, "a number of prompts, or nothing")
    return int(cell) if cell else None


def _read_errata(path: Path) -> dict[str, dict[str, Erratum]]:
    """Return model -> cell -> erratum."""
    found: dict[str, dict[str, Erratum]] = {}
    try:
        for kind in yaml.safe_load(read_text(path)):
            rows = kind.pop("rows")
            if kind["scope"] not in get_args(Scope):
                raise wrong(path, kind["kind"], "scope", kind["scope"], " or ".join(get_args(Scope)))
            for model, cell, printed, corrected in rows:
                erratum = Erratum(cell=cell, printed=printed, corrected=corrected, **kind)
                if cell in found.setdefault(model, {}):
                    raise wrong(path, model, cell, erratum.kind, "one erratum a cell")
                found[model][cell] = erratum
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as exc:
        msg = f"{str(path)!r} is no list of errata ({' '.join(str(exc).split())}). {ADVICE}"
        raise DataError(msg) from exc
    return found
