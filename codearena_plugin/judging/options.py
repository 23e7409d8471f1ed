"""The table of what a user may choose about the judge, and how each value is read.

One table, three doors: ``--metadata`` / command-line options beat ``CODEARENA_…`` environment variables, which beat
the judge card.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from codearena_plugin.errors import ConfigError, unknown_name
from codearena_plugin.records import OrderPolicy, ReadingMode, Status

KEY_VARIABLE = "CODEARENA_JUDGE_API_KEY"
REASKABLE: tuple[Status, ...] = ("unparsable", "conflicting", "truncated", "refused")


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


def _statuses(text: Any) -> frozenset[str]:
    names = frozenset(str(text).replace(" ", "").split(","))
    if not names <= set(REASKABLE):
        raise ValueError
    return names


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
    Option("again", _statuses, f"a comma-separated list of {', '.join(REASKABLE)}"),
    Option("prompt", str, "a file that holds the judge prompt"),
    Option("store", str, "the path of a reply store"),
    Option("replay", str, "the path of a stored run"),
    Option("timeout_s", _positive, "seconds, more than 0"),
    Option("deadline_s", _positive, "seconds, more than 0"),
    Option("tries", _positive_int, "a whole number of at least 1"),
    Option("context_tokens", _positive_int, "a whole number of tokens"),
    Option("prices", str, "a YAML file of model prices"),
)


def read_options(options: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values that were chosen, by the option's short name, and by its key where each came from.

    Raises:
        ConfigError: an unknown ``judge_…`` option, a value that cannot be used, a key among the options.
    """
    known = {option.key: option for option in OPTIONS}
    for key in options:
        if "api_key" in str(key) and str(key).startswith("judge"):
            msg = f"{key} must not be an option, options are written to results: set CODEARENA_JUDGE_API_KEY instead."
            raise ConfigError(msg)
        if (str(key).startswith("judge_") or key == "judge") and key not in known:
            raise ConfigError(unknown_name("judge option", str(key), known))
    variables = {option.variable for option in OPTIONS} | {KEY_VARIABLE}
    for name in environ:
        if name.startswith("CODEARENA_JUDGE") and name not in variables:
            raise ConfigError(unknown_name("environment variable", name, variables))
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
