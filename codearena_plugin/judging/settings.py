"""Judge settings: everything that decides what the judge is asked, from options, environment and card.

Keys are no settings: they come from the environment when a back end is made, and are kept nowhere.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from codearena_plugin import paths
from codearena_plugin.errors import ConfigError
from codearena_plugin.judging.asking.request import Scalar
from codearena_plugin.judging.options import read_options
from codearena_plugin.judging.protocol.card import JudgeCard, PromptTexts, load_card
from codearena_plugin.judging.protocol.texts import load_texts, prompt_sha256
from codearena_plugin.judging.urls import checked_url, without_credentials
from codearena_plugin.records import OrderPolicy, ReadingMode

# Models of the reasoning families take max_completion_tokens and no sampling parameters.
_REASONING_MODEL = re.compile(r"^(?:.*/)?(?:o[1-9](?:$|[-_.])|gpt-5(?!-chat))")


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """Everything that decides what the judge is asked, how, and at what price.

    Attributes:
        card: the judge card as loaded; the fields here override it where they were given.
        sampling: what is sent beside the messages; part of every request's key.
        concurrency: requests under way at once, at most; falls while the judge says 429.
        max_cost_usd, max_calls: the run ends in order when the next call would exceed them.
        min_coverage: below this share of scored prompts no score is given.
        timeout_s: one HTTP request; deadline_s: all judging of a run; tries: HTTP requests for one question.
        context_tokens: what the user says fits into the judge's window; see ``window_tokens``.
        store: the SQLite file of replies.
        again: statuses whose stored games are asked once more; the newest reply counts from then on.
        chosen: option -> where its value came from ("option", "environment"); the rest is the card or the default.
    """

    card: JudgeCard
    texts: PromptTexts
    backend: str
    model: str
    sampling: Mapping[str, Scalar]
    order: OrderPolicy
    mode: ReadingMode
    attempts: int
    store: Path
    base_url: str | None = None
    concurrency: int = 32
    max_cost_usd: float | None = None
    max_calls: int | None = None
    min_coverage: float = 0.95
    timeout_s: float = 600.0
    deadline_s: float | None = None
    tries: int = 6
    context_tokens: int | None = None
    replay: str | None = None
    prices: str | None = None
    again: frozenset[str] = frozenset()
    chosen: Mapping[str, str] = field(default_factory=dict)

    @property
    def window_tokens(self) -> int | None:
        """What fits into the judge's window: what the user says, else the card's number. ``None``: unknown.

        The card's number is that of the card's model behind the card's back end (which a replay stands for).
        """
        is_the_cards_judge = self.model == self.card.model and self.backend in {self.card.backend, "replay"}
        return self.context_tokens or (self.card.context_tokens if is_the_cards_judge else None)

    def describe(self) -> dict[str, Any]:
        """Return the effective settings as plain data for results: no key, no credentials in the URL."""
        return {
            "card": self.card.id,
            "comparable_as": self.card.comparability,
            "prompt_sha256": prompt_sha256(self.card, self.texts),
            "backend": self.backend,
            "model": self.model,
            "base_url": without_credentials(self.base_url) if self.base_url else None,
            "sampling": dict(self.sampling),
            "order": self.order,
            "mode": self.mode,
            "attempts": self.attempts,
            "concurrency": self.concurrency,
            "max_cost_usd": self.max_cost_usd,
            "max_calls": self.max_calls,
            "min_coverage": self.min_coverage,
            "timeout_s": self.timeout_s,
            "deadline_s": self.deadline_s,
            "tries": self.tries,
            "context_tokens": self.window_tokens,
            "store": str(self.store),
            "replay": self.replay,
            "again": sorted(self.again),
            "chosen_by": dict(self.chosen),
            "notice": self.card.notice,
        }


_AS_GIVEN = (
    "concurrency",
    "max_cost_usd",
    "max_calls",
    "min_coverage",
    "timeout_s",
    "deadline_s",
    "tries",
    "context_tokens",
    "prices",
    "again",
)


def resolve_settings(
    options: Mapping[str, Any], *, environ: Mapping[str, str] | None = None, default_judge: str = "codearena"
) -> JudgeSettings:
    """Return the settings of a run from options, environment and card, in this order.

    Args:
        options: keys as in ``--metadata``: ``judge``, ``judge_model``, …; other keys are not ours and ignored, but a
            ``judge_…`` key that nobody knows is an error.
        default_judge: the card that the task names.

    Raises:
        ConfigError: an unknown option, a value that cannot be used, a key among the options.
    """
    environ = os.environ if environ is None else environ
    values, chosen = read_options(options, environ)
    if "replay" in values:
        values = {**_judge_of(values["replay"]), **values}
    card, folder = _choose_card(values, default_judge)
    texts = load_texts(card, folder, prompt_file=values.get("prompt"))
    model = values.get("model", card.model)
    given = {name: values[name] for name in _AS_GIVEN if name in values}
    backend = values.get("backend", "replay" if "replay" in values else card.backend)
    if backend == "static" and card.backend != "static":
        msg = f"judge_backend='static' reads no prompt of judge {card.name!r}: use judge='static'."
        raise ConfigError(msg)
    base_url = values.get("base_url", environ.get("OPENAI_BASE_URL") or None)
    return JudgeSettings(
        card=card,
        texts=texts,
        backend=backend,
        model=model,
        sampling=_sampling(card, values, is_reasoning=values.get("reasoning", bool(_REASONING_MODEL.match(model)))),
        order=cast("OrderPolicy", values.get("order", card.order)),
        mode=cast("ReadingMode", values.get("mode", card.mode)),
        attempts=values.get("attempts", card.attempts),
        store=Path(values["store"]).expanduser() if "store" in values else paths.default_store(),
        base_url=checked_url(base_url) if base_url else None,
        replay=values.get("replay"),
        chosen=chosen,
        **given,
    )


def _choose_card(values: Mapping[str, Any], default_judge: str) -> tuple[JudgeCard, Path]:
    """Return the card that the user named, else the task's; naming a model is choosing a judge that asks one.

    Raises:
        ConfigError: a model or URL for a judge that asks none.
    """
    names = [f"judge_{name}" for name in ("model", "base_url") if name in values]
    card, folder = load_card(values.get("", default_judge))
    if card.backend != "static" or not names or "replay" in values:
        return card, folder
    if "" in values:
        msg = f"{', '.join(names)}: the judge {card.name!r} asks no model. Leave it out, or choose judge='codearena'."
        raise ConfigError(msg)
    return load_card("codearena")


def _judge_of(run: str) -> dict[str, Any]:
    """Return card and model of a stored run that is to be replayed: what else would its replies answer?"""
    path = Path(run).expanduser()
    try:
        judge = json.loads((path / "result.json").read_text(encoding="utf-8"))["manifest"]["judge"]
        return {"": str(judge["card"]).partition("@")[0], "model": str(judge["model"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # a bare games.jsonl says nothing of its judge; what does not match will show as missing


def _sampling(card: JudgeCard, values: Mapping[str, Any], *, is_reasoning: bool) -> dict[str, Scalar]:
    merged: dict[str, Scalar] = {
        name: values.get(name, value)
        for name, value in card.sampling.model_dump().items()
        if values.get(name, value) is not None
    }
    if is_reasoning:
        refused = [f"judge_{name}" for name in ("temperature", "top_p", "seed") if name in values]
        if refused:
            names = ", ".join(refused)
            msg = f"{names}: a reasoning model takes no such parameter. Leave it out, or set judge_reasoning=false."
            raise ConfigError(msg)
        limit = merged.get("max_tokens")
        merged = {} if limit is None else {"max_completion_tokens": limit}
    return merged
