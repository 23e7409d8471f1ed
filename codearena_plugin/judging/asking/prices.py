"""What judge calls cost. An unknown model costs "unknown" (``None``), never 0."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from codearena_plugin import paths
from codearena_plugin.errors import ConfigError

# Token estimates before a run: English text and code run at 3 to 4 characters a token with current tokenizers, and a
# judge that answers the question itself first writes some 800 tokens. Rough on purpose; the bill is counted afterwards.
_CHARS_PER_TOKEN = 3.5
EXPECTED_COMPLETION_TOKENS = 800
_SNAPSHOT = re.compile(r"[-@](?:\d[\d-]*|latest|preview)")  # gpt-4o-2024-08-06, model@001; never o1-pro at o1's price


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Return the price of a call in US dollars."""
        return (self.input * prompt_tokens + self.output * completion_tokens) / 1e6


def find_price(model: str, user_file: str | None = None) -> Price | None:
    """Return the price of a model or of the model that it is a dated snapshot of; a user's table beats ours.

    ``None`` if no table knows it: a relative's price (o1 for o1-pro) would be worse than none.

    Raises:
        ConfigError: a user's table cannot be read.
    """
    own = Path(user_file).expanduser() if user_file else paths.home_dir() / "prices.yaml"
    tables = [_load(own)] if user_file or own.is_file() else []
    tables.append(_load(Path(__file__).with_name("prices.yaml")))
    for table in tables:
        matches = [
            name
            for name in table
            if model == name or (model.startswith(name) and _SNAPSHOT.fullmatch(model, len(name)))
        ]
        if matches:
            return table[max(matches, key=len)]
    return None


def _load(path: Path) -> Mapping[str, Price]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return {str(name): Price(_dollars(row["input"]), _dollars(row["output"])) for name, row in raw.items()}
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as exc:
        example = "my-model: {input: 1.0, output: 2.0}"
        msg = f"Price table {str(path)!r} cannot be used ({exc}): expected lines such as {example!r}."
        raise ConfigError(msg) from exc


def _dollars(value: float | str) -> float:
    number = float(value)
    if not 0 <= number < math.inf:  # a NaN would make every limit void
        msg = f"{value!r} is no price"
        raise ValueError(msg)
    return number


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has; CJK characters count one each."""
    wide = sum(1 for char in text if char >= "\u2e80") if not text.isascii() else 0
    return round((len(text) - wide) / _CHARS_PER_TOKEN) + wide + 4
