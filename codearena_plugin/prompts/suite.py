"""A suite: the prompts that are asked, with the baseline answers they are compared with."""

from __future__ import annotations

import difflib
import functools
import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from codearena_plugin import plugins
from codearena_plugin.errors import ConfigError, DataError, unknown_name
from codearena_plugin.prompts.card import TaskCard
from codearena_plugin.records import Prompt

REFERENCE_MAX_WORDS = 1024  # the published script's filter, see ``within_words``


@dataclass(frozen=True, slots=True)
class SuiteOptions:
    """What a user may choose about a suite.

    Attributes:
        data: path of a ``.jsonl``, ``.jsonl.gz`` or directory to read instead of the suite's own source.
        baseline: model whose stored answers are the opponent.
        taxonomy: path of a mapping in the authors' format (``taxonomy.load_mapping``).
        max_words: leave out prompts of this many words or more; ``None`` leaves out none.
    """

    data: str | None = None
    baseline: str | None = None
    taxonomy: str | None = None
    max_words: int | None = None


@dataclass(frozen=True)
class Suite:
    """A loaded suite; every prompt has an answer of ``baseline``.

    Attributes:
        version: of the task card, "N-L".
        revision: of the data: a commit, or ``"sha256:…"`` of a local file.
        source: where the rows came from, for people.
        fingerprint: sha256 over ids, messages and baseline answers; equal fingerprints mean equal games.
        prompts: in the order of the file.
        is_demo: for trying things out; its scores say nothing about a model.
        left_out: ids that ``max_words`` left out.
        taxonomy: what decided the categories: ``"built-in"`` or the user's file.
        file: path of the user's own data; ``None`` for the suite's own.
    """

    name: str
    version: str
    revision: str
    source: str
    fingerprint: str
    baseline: str
    prompts: tuple[Prompt, ...]
    is_demo: bool = False
    left_out: tuple[str, ...] = ()
    taxonomy: str = "built-in"
    file: str | None = None

    @functools.cached_property
    def by_id(self) -> Mapping[str, Prompt]:
        """Return prompt id -> prompt."""
        return {prompt.id: prompt for prompt in self.prompts}

    def prompt(self, prompt_id: str) -> Prompt:
        """Return one prompt.

        Raises:
            DataError: the suite has no such prompt; the message suggests the nearest id.
        """
        if prompt_id not in self.by_id:
            near = difflib.get_close_matches(prompt_id, self.by_id, n=1)
            hint = (
                f"did you mean {near[0]!r}?" if near else f"the first of {len(self.prompts)} is {self.prompts[0].id!r}."
            )
            msg = f"Suite {self.name!r} has no prompt {prompt_id!r}; {hint}"
            raise DataError(msg)
        return self.by_id[prompt_id]


def load_suite(name: str, options: SuiteOptions | None = None) -> Suite:
    """Return a suite by the name under which a plugin offers it.

    Raises:
        ConfigError: nobody offers the name, or an option cannot be used.
        DataError: the data cannot be reached or read.
    """
    suite = plugins.resolve("suites", name)(options or SuiteOptions())
    if not isinstance(suite, Suite):
        msg = f"The loader of suite {name!r} returned {type(suite).__name__}, expected a prompts.suite.Suite."
        raise ConfigError(msg)
    return suite


def build_suite(
    card: TaskCard,
    prompts: Sequence[Prompt],
    options: SuiteOptions,
    *,
    revision: str,
    source: str,
    is_demo: bool = False,
) -> Suite:
    """Return the suite of a card and its parsed rows, checked, with the baseline and the length filter chosen.

    Args:
        card: gives name, version and the default baseline.
        prompts: all of them, in file order.
        options: ``data`` and ``taxonomy`` are used already, by whoever read the rows.
        revision: of the data that was read. Where it is not the card's own, the data is the user's, and its only
            baseline stands in for the card's default; ``Suite.baseline`` shows it.
        source: for people; it begins every message about the data.
        is_demo: its scores say nothing about a model.

    Raises:
        ConfigError: the baseline or ``max_words`` cannot be used.
        DataError: no prompt, ids twice, or prompts without the baseline's answer.
    """
    check_prompts(prompts, where=source)
    pinned = card.source.hub.revision if card.source.hub else None
    kept, left_out = within_words(prompts, options.max_words)
    baseline = choose_baseline(
        kept, default=card.baseline, asked=options.baseline, sole=revision != pinned, where=source
    )
    return Suite(
        name=card.name,
        version=card.version,
        revision=revision,
        source=source,
        fingerprint=fingerprint(kept, baseline),
        baseline=baseline,
        prompts=kept,
        is_demo=is_demo,
        left_out=left_out,
        taxonomy=options.taxonomy or "built-in",
    )


def check_prompts(prompts: Sequence[Prompt], *, where: str) -> None:
    """Refuse an empty suite, and prompts that share an id.

    Raises:
        DataError: naming the ids.
    """
    if not prompts:
        msg = f"{where}: no prompt in it, expected one JSON object a line."
        raise DataError(msg)
    twice = [prompt_id for prompt_id, n in Counter(prompt.id for prompt in prompts).items() if n > 1]
    if twice:
        msg = f"{where}: {len(twice)} prompt ids are there more than once: {listed(twice)}; every id must be unique."
        raise DataError(msg)


def choose_baseline(prompts: Sequence[Prompt], *, default: str, asked: str | None, sole: bool, where: str) -> str:
    """Return the model that answers are compared with, and make sure that every prompt has its answer.

    Args:
        prompts: with the baseline columns that their rows had.
        default: of the task card.
        asked: by the user; nothing stands in for it.
        sole: when the default is absent and the data holds one baseline only, take that one.
        where: the file, for messages.

    Raises:
        ConfigError: no such baseline, or several to choose from.
        DataError: prompts without an answer of the chosen baseline; names them.
    """
    known = sorted({model for prompt in prompts for model in prompt.baselines})
    chosen = asked or default
    if chosen not in known and not asked and sole and len(known) == 1:
        chosen = known[0]
    if chosen not in known:
        also = " Choose one with codearena_baseline." if known else " Expected a column '<model>_response'."
        msg = f"{where}: {unknown_name('baseline', chosen, known)}{also}"
        raise ConfigError(msg)
    lacking = [prompt.id for prompt in prompts if chosen not in prompt.baselines]
    if lacking:
        msg = f"{where}: {len(lacking)} prompts have no answer of the baseline {chosen!r}: {listed(lacking)}."
        raise DataError(msg)
    return chosen


def answered_part(suite: Suite, prompt_ids: Collection[str]) -> Suite:
    """Return the part of a suite that has these ids; the same suite if that is all of it, else with its own hash."""
    prompts = tuple(prompt for prompt in suite.prompts if prompt.id in prompt_ids)
    if len(prompts) == len(suite.prompts):
        return suite
    return replace(suite, prompts=prompts, fingerprint=fingerprint(prompts, suite.baseline))


def within_words(prompts: Iterable[Prompt], max_words: int | None) -> tuple[tuple[Prompt, ...], tuple[str, ...]]:
    """Return the prompts to ask and the ids of those left out for their length.

    The published script keeps a question when it has fewer than 1,024 words between white space. That rule counts a
    Chinese sentence as one word, so it treats the two natural languages differently; it is here to repeat published
    numbers, and off by default.

    Raises:
        ConfigError: ``max_words`` is not positive, or leaves nothing.

    References:
        Qwen2.5-Coder, ``qwencoder-eval/instruct/CodeArena/judge_models.py:124``.
    """
    everything = tuple(prompts)
    if max_words is None:
        return everything, ()
    kept = tuple(prompt for prompt in everything if _n_words(prompt) < max_words)
    if max_words < 1 or not kept:
        msg = f"max_words={max_words!r} leaves no prompt; expected a positive number such as {REFERENCE_MAX_WORDS}."
        raise ConfigError(msg)
    return kept, tuple(prompt.id for prompt in everything if _n_words(prompt) >= max_words)


def fingerprint(prompts: Sequence[Prompt], baseline: str) -> str:
    """Return the sha256 over what is asked and what it is compared with; languages and classes do not enter."""
    digest = hashlib.sha256()
    for prompt in prompts:
        turns = [[message.role, message.content] for message in prompt.messages]
        digest.update(json.dumps([prompt.id, turns, prompt.baselines[baseline]]).encode() + b"\n")
    return digest.hexdigest()


def questions_sha256(prompts: Sequence[Prompt]) -> str:
    """Return the sha256 over ids and messages alone: equal for suites that differ in their baseline only."""
    digest = hashlib.sha256()
    for prompt in prompts:
        digest.update(json.dumps([prompt.id, [[m.role, m.content] for m in prompt.messages]]).encode() + b"\n")
    return digest.hexdigest()


def listed(names: Sequence[str], limit: int = 5) -> str:
    """Return the first few names for a message, and how many more there are.

    >>> listed(["a", "b", "c"], limit=2)
    "'a', 'b' and 1 more"
    """
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def _n_words(prompt: Prompt) -> int:
    return len(next(message.content for message in prompt.messages if message.role == "user").split())
