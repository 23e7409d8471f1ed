"""Judge settings: what a user may choose, and where each choice came from.

One table, three doors: ``--metadata`` / command-line options beat ``CODEARENA_…`` environment variables, which beat
the judge card. Keys are no settings: they come from the environment when a back end is made, and are kept nowhere.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast, get_args
from urllib.parse import urlsplit, urlunsplit

from codearena_plugin import paths
from codearena_plugin.errors import ConfigError, unknown_name
from codearena_plugin.judging.card import JudgeCard, PromptTexts, load_card
from codearena_plugin.judging.request import Scalar
from codearena_plugin.judging.texts import load_texts
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
        store: the SQLite file of replies.
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
    chosen: Mapping[str, str] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """Return the effective settings as plain data for results: no key, no credentials in the URL."""
        return {
            "card": self.card.id,
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
            "context_tokens": self.context_tokens,
            "store": str(self.store),
            "replay": self.replay,
            "chosen_by": dict(self.chosen),
            "notice": self.card.notice,
        }


def _positive_int(text: Any) -> int:
    number = int(text)
    if number < 1 or isinstance(text, bool) or (isinstance(text, float) and text != number):
        raise ValueError
    return number


def _non_negative(text: Any) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError
    return number


def _positive(text: Any) -> float:
    number = _non_negative(text)
    if number == 0:
        raise ValueError
    return number


def _share(text: Any) -> float:
    number = _non_negative(text)
    if number > 1:
        raise ValueError
    return number


def _boolean(text: Any) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    return known[str(text).lower()]


def _one_of(allowed: tuple[str, ...], text: Any) -> str:
    if text not in allowed:
        raise ValueError
    return str(text)


@dataclass(frozen=True, slots=True)
class Option:
    """One thing a user can choose: its name after ``judge_``, how it is read, what it must be."""

    name: str
    read: Callable[[Any], Any]
    expected: str

    @property
    def key(self) -> str:
        """The name in ``--metadata``."""
        return f"judge_{self.name}" if self.name else "judge"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"CODEARENA_{self.key.upper()}"


OPTIONS: tuple[Option, ...] = (
    Option("", str, "the name of an installed judge or the path of its folder"),
    Option("model", str, "a model name"),
    Option("base_url", str, "a URL such as http://localhost:8000/v1"),
    Option("backend", str, "the name of a judge back end"),
    Option("concurrency", _positive_int, "a whole number of at least 1"),
    Option("max_cost_usd", _non_negative, "a number of US dollars"),
    Option("max_calls", _positive_int, "a whole number of at least 1"),
    Option("min_coverage", _share, "a share from 0 to 1"),
    Option("order", functools.partial(_one_of, get_args(OrderPolicy)), " or ".join(get_args(OrderPolicy))),
    Option("mode", functools.partial(_one_of, get_args(ReadingMode)), " or ".join(get_args(ReadingMode))),
    Option("attempts", _positive_int, "a whole number of at least 1"),
    Option("temperature", _non_negative, "a number of at least 0"),
    Option("top_p", _share, "a share from 0 to 1"),
    Option("max_tokens", _positive_int, "a whole number of at least 1"),
    Option("seed", int, "a whole number"),
    Option("reasoning", _boolean, "true or false"),
    Option("prompt", str, "a file that holds the judge prompt"),
    Option("store", str, "the path of a reply store"),
    Option("replay", str, "the path of a stored run"),
    Option("timeout_s", _positive, "seconds, more than 0"),
    Option("deadline_s", _positive, "seconds, more than 0"),
    Option("tries", _positive_int, "a whole number of at least 1"),
    Option("context_tokens", _positive_int, "a whole number of tokens"),
    Option("prices", str, "a YAML file of model prices"),
)


_AS_GIVEN = ("concurrency", "max_cost_usd", "max_calls", "min_coverage", "timeout_s", "deadline_s", "tries", "prices")


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
    values, chosen = _collect(options, environ)
    card, folder = load_card(values.get("", default_judge))
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
        context_tokens=values.get("context_tokens", card.context_tokens if model == card.model else None),
        replay=values.get("replay"),
        chosen=chosen,
        **given,
    )


def _collect(options: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    known = {option.key: option for option in OPTIONS}
    for key in options:
        if "api_key" in str(key) and str(key).startswith("judge"):
            msg = f"{key} must not be an option, options are written to results: set CODEARENA_JUDGE_API_KEY instead."
            raise ConfigError(msg)
        if (str(key).startswith("judge_") or key == "judge") and key not in known:
            raise ConfigError(unknown_name("judge option", str(key), known))
    values: dict[str, Any] = {}
    chosen: dict[str, str] = {}
    for option in OPTIONS:
        for source, name, raw in (
            ("option", option.key, options.get(option.key)),
            ("environment", option.variable, environ.get(option.variable)),
        ):
            if raw is None or raw == "":
                continue
            try:
                values[option.name] = option.read(raw)
            except (ValueError, TypeError, KeyError, OverflowError) as exc:
                msg = f"{name}={raw!r} cannot be used: expected {option.expected}."
                raise ConfigError(msg) from exc
            chosen[option.key] = source
            break
    return values, chosen


def _sampling(card: JudgeCard, values: Mapping[str, Any], *, is_reasoning: bool) -> dict[str, Scalar]:
    merged: dict[str, Scalar] = {
        name: values.get(name, value)
        for name, value in card.sampling.model_dump().items()
        if values.get(name, value) is not None
    }
    if is_reasoning:
        limit = merged.get("max_tokens")
        merged = {} if limit is None else {"max_completion_tokens": limit}
    return merged


def checked_url(url: str) -> str:
    """Return the URL if requests can be sent to it.

    Raises:
        ConfigError: it is no http(s) URL.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        msg = f"judge_base_url={without_credentials(url)!r} is no http(s) URL: expected one such as http://localhost:8000/v1."
        raise ConfigError(msg)
    return url


def without_credentials(url: str) -> str:
    """Return the URL without user, password and query values, fit for messages and results."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(not a URL)"
    names = "&".join(f"{piece.partition('=')[0]}=…" for piece in parts.query.split("&") if piece)
    return urlunsplit((parts.scheme, f"[{host}]{port}" if ":" in host else f"{host}{port}", parts.path, names, ""))
