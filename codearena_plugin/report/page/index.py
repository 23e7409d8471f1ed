"""The index of the verdict browser: what can be filtered, in a few bytes a verdict, so that thousands load at once.

Every run has strings with one sign a prompt (two for its games); what the signs mean is in ``SIGNS``. Names are in
lists and named by their place: no name that a model or a file made up is ever the key of an object in the page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from codearena_plugin.records import LABELS, ORDERS, STATUSES, Game, Message, Outcome
from codearena_plugin.report.untrusted import one_line, visible
from codearena_plugin.runs.compare import stored_outcomes
from codearena_plugin.runs.files import StoredRun
from codearena_plugin.runs.strata import ORDER, StrataOf

ABSENT = "."
SIGNS: Mapping[str, Mapping[Any, str]] = {
    "outcome": {1.0: "w", 0.5: "t", 0.0: "l", None: "u"},
    "points": {**{points: "012345678"[points + 4] for points in range(-4, 5)}, None: ABSENT},
    "agree": {True: "y", False: "n", None: ABSENT},
    "game": {
        **{label: str(place) for place, label in enumerate(LABELS)},
        **{status: chr(ord("a") + place) for place, status in enumerate(STATUSES[1:])},
    },
}
"""What is said -> its sign: of a label its place in ``LABELS``, of a failure a letter for its place in ``STATUSES``."""

_TITLE_CHARACTERS = 140


class ListedRun(NamedTuple):
    """A run with the name that the page gives it, and its baseline's."""

    name: str
    opponent: str
    stored: StoredRun


def index_of(
    runs: Sequence[ListedRun],
    prompt_ids: Sequence[str],
    questions: Mapping[str, Sequence[Message]],
    strata: StrataOf | None,
    missing: Sequence[str | None] = (),
) -> dict[str, Any]:
    """Return the index as plain data.

    Args:
        runs: one line in the list for each of their prompts.
        prompt_ids: of all runs together, in the order in which they are listed.
        questions: prompt id -> its messages; without a prompt where its suite is not at hand.
        strata: of the prompts; ``None`` where nobody knows them.
        missing: run by run, why its questions are not shown; ``None`` where they are.
    """
    notes = list(dict.fromkeys(filter(None, missing)))
    kinds = {kind: _members(prompt_ids, strata[kind], order) for kind, order in ORDER.items()} if strata else {}
    return {
        "models": distinct(run.name for run in runs),
        "opponents": [one_line(run.opponent) for run in runs],
        "prompts": distinct(prompt_ids),
        "titles": [_title(questions.get(prompt_id, ())) for prompt_id in prompt_ids],
        "kinds": [{"kind": kind, "names": names, "of": of} for kind, (names, of) in kinds.items()],
        "labels": list(LABELS),
        "statuses": list(STATUSES[1:]),
        "notes": notes,
        "missing": [None if why is None else notes.index(why) for why in missing],
        "rows": [_signs(run.stored, prompt_ids) for run in runs],
    }


def prompt_ids_of(runs: Iterable[StoredRun]) -> list[str]:
    """Return the ids of all prompts that were asked, in the order of the first run that asked them."""
    return list(dict.fromkeys(answer.prompt_id for run in runs for answer in run.answers))


def games_by_prompt(run: StoredRun) -> dict[str, list[Game]]:
    """Return the games of a run by prompt, in the order in which they are read: the baseline first, then the answer."""
    games: dict[str, list[Game]] = defaultdict(list)
    for game in sorted(run.games, key=lambda game: ORDERS.index(game.order)):
        games[game.prompt_id].append(game)
    return games


def distinct(names: Iterable[str]) -> list[str]:
    r"""Return names as they can be shown and addressed; those that look the same are numbered.

    >>> distinct(["a", "b\x00", "b\u2400"])
    ['a', 'b␀', 'b␀ (2)']
    """
    found: dict[str, None] = {}
    for name in names:
        shown = plain = " ".join(visible(name).split()) or "(empty)"
        number = 1
        while shown in found:
            number += 1
            shown = f"{plain} ({number})"
        found[shown] = None
    return list(found)


def _title(question: Sequence[Message]) -> str:
    first = next((message.content for message in question if message.role == "user"), "")
    return one_line(first[: 4 * _TITLE_CHARACTERS], _TITLE_CHARACTERS)


def _members(
    prompt_ids: Sequence[str], of_prompt: Mapping[str, Sequence[str]], order: Sequence[str]
) -> tuple[list[str], list[list[int]]]:
    """Return the names of a kind of stratum, in fixed order, and for every prompt the places of its names."""
    present = {name for prompt_id in prompt_ids for name in of_prompt.get(prompt_id, ())}
    fixed = [name for name in order if name in present]
    names = [*fixed, *sorted(present.difference(fixed))]
    places = {name: place for place, name in enumerate(names)}
    return distinct(names), [[places[name] for name in of_prompt.get(prompt_id, ())] for prompt_id in prompt_ids]


def _signs(run: StoredRun, prompt_ids: Sequence[str]) -> dict[str, str]:
    outcomes: dict[str, Outcome] = {outcome.prompt_id: outcome for outcome in stored_outcomes(run)}
    games = {(game.prompt_id, game.order): game for game in run.games}
    found = [outcomes.get(prompt_id) for prompt_id in prompt_ids]
    played = [_game_sign(games.get((prompt_id, order))) for prompt_id in prompt_ids for order in ORDERS]
    return {
        "outcome": "".join(SIGNS["outcome"][one.score] if one else ABSENT for one in found),
        "points": "".join(SIGNS["points"][one.points] if one else ABSENT for one in found),
        "agree": "".join(SIGNS["agree"][one.consistent] if one else ABSENT for one in found),
        "games": "".join(played),
    }


def _game_sign(game: Game | None) -> str:
    return ABSENT if game is None else SIGNS["game"][game.verdict.label or game.verdict.status]
