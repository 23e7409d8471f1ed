"""Everything that the browser of verdicts shows, brought together: runs, questions, baselines, strata."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

from codearena_plugin.errors import UsageError
from codearena_plugin.leaderboard.players import matches_of
from codearena_plugin.prompts.suite import Suite
from codearena_plugin.records import Answer, Message, Outcome, Prompt
from codearena_plugin.report.evidence.parts import RunEvidence, largest_picture
from codearena_plugin.report.page.elements import Child, element
from codearena_plugin.report.page.index import ListedRun, distinct, games_by_prompt, prompt_ids_of
from codearena_plugin.report.page.texts import Played, PromptTexts
from codearena_plugin.report.tables.named import NamedRun
from codearena_plugin.report.untrusted import one_line
from codearena_plugin.runs.compare import stored_outcomes
from codearena_plugin.runs.files import StoredRun
from codearena_plugin.runs.imported import has_questions
from codearena_plugin.runs.rescore import suite_of
from codearena_plugin.runs.strata import ORDER, STRATA_FILE, StrataOf, strata_of_prompts, strata_of_run

_NOT_SHOWN = "Question and baseline are not shown"
_LONGEST_SEARCHED = 4000  # characters of a question that a search looks at


@dataclass(frozen=True)
class Material:
    """What the page is made of, beside the leaderboard.

    Attributes:
        runs: in the order of the leaderboard, each one line in the list for each of its prompts.
        prompts: run by run, prompt id -> question and baseline; ``None`` where the run's suite is not at hand.
        strata: ``None`` where nobody knows them.
        missing: run by run, why its questions are not shown; ``None`` where they are.
        players: run by run, its player on the leaderboard.
        gap: of the same runs, of schema ``codearena-gap/1``; ``None`` where it was not asked for.
    """

    runs: tuple[ListedRun, ...]
    prompts: tuple[Mapping[str, Prompt] | None, ...]
    strata: StrataOf | None
    missing: tuple[str | None, ...]
    players: tuple[str, ...] = field(default=())
    gap: Mapping[str, Any] | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Why something is not shown, each reason once."""
        return tuple(dict.fromkeys(filter(None, self.missing)))

    @cached_property
    def prompt_ids(self) -> list[str]:
        """All prompts that were asked, in the order in which they are listed."""
        return prompt_ids_of(run.stored for run in self.runs)

    @cached_property
    def questions(self) -> Mapping[str, tuple[Message, ...]]:
        """Prompt id -> its messages, as far as they are at hand."""
        return {prompt_id: prompt.messages for known in self.prompts if known for prompt_id, prompt in known.items()}

    @cached_property
    def named_runs(self) -> list[NamedRun]:
        """The results under the names that the page gives them."""
        return [NamedRun(run.name, run.stored.result) for run in self.runs]

    @cached_property
    def _parts(self) -> list[_Parts]:
        return [_Parts(run.stored) for run in self.runs]

    @cached_property
    def has_pictures(self) -> bool:
        """Whether a page of an answer is shown as it was rendered."""
        return any(parts.evidence.pictures for parts in self._parts)

    @cached_property
    def _most_picture(self) -> int:
        return largest_picture(parts.evidence for parts in self._parts)

    def texts_of(self, prompt_id: str) -> PromptTexts:
        """Return all that there is to read about one prompt."""
        played = tuple(
            self._played(place, prompt_id) if prompt_id in parts.answers else None
            for place, parts in enumerate(self._parts)
        )
        return PromptTexts(self.questions.get(prompt_id, ()), played)

    def _played(self, place: int, prompt_id: str) -> Played:
        run, parts, known = self.runs[place], self._parts[place], self.prompts[place]
        baseline = str(run.stored.result["manifest"]["suite"]["baseline"])
        prompt = known.get(prompt_id) if known else None
        text = prompt.baselines.get(baseline) if prompt else None
        return Played(
            model=run.name,
            opponent=run.opponent,
            baseline=text,
            answer=parts.answers[prompt_id],
            games=tuple(parts.games.get(prompt_id, ())),
            outcome=parts.outcomes[prompt_id],
            evidence=parts.evidence.of(parts.answers[prompt_id], text, most_picture=self._most_picture),
        )

    def searched(self, prompt_id: str) -> str:
        """Return the beginning of a question in lower case, for a search."""
        return "\n".join(message.content for message in self.questions.get(prompt_id, ()))[:_LONGEST_SEARCHED].lower()

    def link(self, name: str) -> Child:
        """Return a name on the board, of a model or of one of its runs, as a link to its verdicts.

        Plain text if it has none, or several runs.
        """
        shown = one_line(name)
        label = self._labels.get(shown)
        return shown if label is None else element("a", shown, href=f"#model={quote(label, safe='')}")

    @cached_property
    def _labels(self) -> dict[str, str]:
        labels = distinct(run.name for run in self.runs)
        players, runs = map(one_line, self.players), (one_line(run.name) for run in self.runs)
        pairs = {*zip(players, labels, strict=True), *zip(runs, labels, strict=True)}
        n_meanings = Counter(name for name, _ in pairs)
        return {name: label for name, label in pairs if n_meanings[name] == 1}


class _Parts:
    """A run's answers, games and outcomes by prompt."""

    def __init__(self, run: StoredRun) -> None:
        self.answers: dict[str, Answer] = {answer.prompt_id: answer for answer in run.answers}
        self.games = games_by_prompt(run)
        self.outcomes: dict[str, Outcome] = {outcome.prompt_id: outcome for outcome in stored_outcomes(run)}
        self.evidence = RunEvidence(run)


def gather(runs: Sequence[StoredRun], order: Sequence[str], *, data: str | None = None) -> Material:
    """Return the material for a page.

    Args:
        runs: that compare; ``board_of`` has checked it.
        order: names on the leaderboard, the best first.
        data: where the suite's file lies now; ``None``: where the runs found it.

    Raises:
        UsageError: ``data`` is no suite of these runs.
    """
    found = matches_of(runs)
    places = {name: place for place, name in enumerate(order)}
    matches = sorted(found.all, key=lambda match: places.get(match.player, len(places)))
    named = [
        ListedRun(
            found.label(match),
            match.opponent,
            match.run,
        )
        for match in matches
    ]
    suites = _Suites(data)
    looked_up = [suites.of(run.stored) for run in named]
    prompts = [suite for suite, _ in looked_up]
    strata = [_strata(run.stored, known) for run, known in zip(named, prompts, strict=True)]
    return Material(
        runs=tuple(named),
        prompts=tuple(known.by_id if known else None for known in prompts),
        strata=_merged([one for one in strata if one is not None]),
        missing=tuple(why for _, why in looked_up),
        players=tuple(match.player for match in matches),
    )


class _Suites:
    """Suites by fingerprint, each loaded once."""

    def __init__(self, data: str | None) -> None:
        self._data = data
        self._loaded: dict[tuple[str, str], tuple[Suite | None, str | None]] = {}

    def of(self, run: StoredRun) -> tuple[Suite | None, str | None]:
        """Return the suite of a run, or why its questions are not shown, in words that fit every such run.

        Raises:
            UsageError: the file that the user named cannot be used.
        """
        made_with = run.result["manifest"]["suite"]
        key = (str(made_with["fingerprint"]), str(made_with["file"]))
        if key not in self._loaded:
            self._loaded[key] = self._load(run, key[0])
        return self._loaded[key]

    def _load(self, run: StoredRun, fingerprint: str) -> tuple[Suite | None, str | None]:
        if self._data is None and not has_questions(run.result["manifest"]):
            return None, f"{_NOT_SHOWN}: imported without the questions; import again with --suite and --data."
        try:
            suite = suite_of(run, self._data)
        except UsageError as exc:
            if self._data is not None:
                raise
            return None, f"{_NOT_SHOWN}: {one_line(str(exc), 400)}"
        if suite.fingerprint != fingerprint:
            return None, f"{_NOT_SHOWN}: the suite found is not the one that was judged."
        return suite, None


def _strata(run: StoredRun, suite: Suite | None) -> StrataOf | None:
    if (run.path / STRATA_FILE).exists():
        return strata_of_run(run)
    return strata_of_prompts(suite.prompts) if suite else None


def _merged(strata: Sequence[StrataOf]) -> StrataOf | None:
    if not strata:
        return None
    return {kind: {k: names for one in strata for k, names in one[kind].items()} for kind in ORDER}
