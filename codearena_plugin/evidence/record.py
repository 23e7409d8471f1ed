"""Evidence as records and as JSON: one row for each side of a prompt, in it one entry for each piece of code.

Schema ``codearena-evidence/1``, one object a line: ``schema``, ``rules``, ``prompt_id``, ``side``, ``sha256`` of the
text that was read, ``sandbox``, ``notice``, ``place``, ``tools``, ``left_out`` and ``blocks``.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

SCHEMA = "codearena-evidence/1"
RULES = 2
"""Raise it when blocks are told apart, joined, tried or limited otherwise: rows of other rules are not used."""

Side = Literal["baseline", "answer"]
Kind = Literal["program", "function", "snippet", "page", "patch", "config", "shell", "text"]
Level = Literal["parsed", "compiled", "ran", "rendered"]
Grade = Literal["rendered", "ran", "compiled", "parsed", "failed", "not-runnable", "not-run"]
Key: TypeAlias = tuple[str, Side, str]
"""Prompt id, side, sha256 of the text: one file can hold the rows of several models."""

SIDES: tuple[Side, ...] = get_args(Side)
KINDS: tuple[Kind, ...] = get_args(Kind)
LEVELS: tuple[Level, ...] = get_args(Level)
GRADES: tuple[Grade, ...] = get_args(Grade)


@dataclass(frozen=True, slots=True)
class BlockEvidence:
    """What became of one piece of code.

    Attributes:
        key: sha256 over kind, language and everything that was run; equal code has equal evidence.
        kind: of the piece; language: canonical name, empty where it is unknown.
        n_blocks: fenced blocks that it was made of.
        n_lines: of its own code.
        tried: was anything done with it? Texts, patches and commands are left alone.
        reached: the highest level that it passed.
        failed: the level at which the code itself failed; ``None`` where it did not, or where that cannot be known.
        why: why it was not tried further, or what failed; one line of ours.
        excerpt: of what a compiler, an interpreter or the program said; bounded, written by strangers.
        is_late: it was stopped for its time, or for its output, which is no failure: a server does not end either.
        screenshot: of a page, PNG in base64; kept only where it is small.
    """

    key: str
    kind: Kind
    language: str
    n_blocks: int
    n_lines: int
    tried: bool
    reached: Level | None = None
    failed: Level | None = None
    why: str = ""
    excerpt: str = ""
    is_late: bool = False
    screenshot: str | None = None
    cpu_s: float = 0.0
    wall_s: float = 0.0

    @property
    def grade(self) -> Grade:
        """The one word for it: a failure counts as one however far the code came."""
        if self.failed is not None:
            return "failed"
        if self.reached is not None:
            return self.reached
        return "not-runnable" if self.tried else "not-run"


@dataclass(frozen=True, slots=True)
class SideRow:
    """The evidence of one side of one prompt.

    Attributes:
        sha256: of the text whose blocks these are: the answer without its reasoning trace.
        sandbox: name of the executor; notice: what every output must say of it.
        left_out: blocks beyond the number that is looked at.
        place: what was installed there, as one word; rows of two places are not used together.
        tools: language -> the line with which the tool that its pieces were tried with says its version.
    """

    prompt_id: str
    side: Side
    sha256: str
    sandbox: str
    notice: str
    blocks: tuple[BlockEvidence, ...]
    left_out: int = 0
    place: str = ""
    tools: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """By what it is found."""
        return self.prompt_id, self.side, self.sha256


def row_to_json(row: SideRow) -> dict[str, Any]:
    """Return a row as plain data."""
    return {"schema": SCHEMA, "rules": RULES, **dataclasses.asdict(row)}


def row_from_json(data: Any) -> SideRow | None:
    """Return a row from plain data; ``None`` for one of other rules.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    if data["schema"] != SCHEMA:
        msg = f"schema {data['schema']!r}, expected {SCHEMA!r}"
        raise ValueError(msg)
    if data["rules"] != RULES:
        return None
    fields = {name: value for name, value in data.items() if name not in {"schema", "rules"}}
    blocks = tuple(BlockEvidence(**block) for block in fields.pop("blocks"))
    row = SideRow(**fields, blocks=blocks)
    for value, known in ((row.side, SIDES), *((block.kind, KINDS) for block in blocks)):
        if value not in known:
            msg = f"{value!r} is none of {', '.join(known)}"
            raise ValueError(msg)
    texts = [row.prompt_id, row.sha256, row.sandbox, row.notice, row.place, *row.tools, *row.tools.values()]
    texts += [text for block in blocks for text in (block.key, block.language, block.why, block.excerpt)]
    texts += [block.screenshot for block in blocks if block.screenshot is not None]
    numbers = [row.left_out, *(n for b in blocks for n in (b.n_blocks, b.n_lines, b.cpu_s, b.wall_s))]
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(n, int | float) for n in numbers):
        msg = "a text is no text, or a number no number"
        raise ValueError(msg)
    if any(level not in {None, *LEVELS} for block in blocks for level in (block.reached, block.failed)):
        msg = "a level is unknown"
        raise ValueError(msg)
    return row


def text_sha256(text: str) -> str:
    """Return the sha256 of a text, lone surrogates included."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
