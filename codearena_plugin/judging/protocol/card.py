"""Judge cards: ``judges/<name>/judge.yaml`` and the prompts beside it, as validated data."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from codearena_plugin import plugins
from codearena_plugin.errors import ConfigError
from codearena_plugin.judging.protocol.delimiters import imitations
from codearena_plugin.records import OrderPolicy, ReadingMode


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sampling(_Strict):
    """How the judge model generates; only what is set is sent."""

    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    seed: int | None = None


class ExternalText(_Strict):
    """A text that we may not ship: where it is published, and the sha256 that proves it.

    Attributes:
        url: a source file at a pinned commit, of which the text is a string constant.
        title: how messages call it.
    """

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    url: str
    title: str


class Placeholders(_Strict):
    """The marks that stand for the parts in a user template; those of the evidence only where the card shows it."""

    question: str = Field(default="{{question}}", min_length=1)
    answer_a: str = Field(default="{{answer_a}}", min_length=1)
    answer_b: str = Field(default="{{answer_b}}", min_length=1)
    evidence_a: str = Field(default="{{evidence_a}}", min_length=1)
    evidence_b: str = Field(default="{{evidence_b}}", min_length=1)


_EVIDENCE_PARTS = ("evidence_a", "evidence_b")


class PromptCard(_Strict):
    """The prompt of a judge: files beside the card, or an external text.

    Attributes:
        format: "text" fills the user template; "json" sends the parts as one JSON object, for programs.
        question: "conversation" shows all turns of the prompt; "first" only the first message, as the paper's script.
        evidence: what the code in both answers does when it is run: "needed" for every prompt, "used" where it is there
            (a judge without a template only), "none" where the judge is not shown it.
        delimiters: marks of the template which candidate text must not imitate, nor nearly.
    """

    format: Literal["text", "json"] = "text"
    question: Literal["conversation", "first"] = "conversation"
    system: str | ExternalText | None = None
    user: str | None = None
    continuation: str | None = None
    placeholders: Placeholders = Placeholders()
    evidence: Literal["none", "used", "needed"] = "none"
    delimiters: tuple[Annotated[str, Field(pattern=r"\S")], ...] = ()

    @model_validator(mode="after")
    def _has_a_place_for_evidence(self) -> PromptCard:
        """Refuse a template that would have empty parts wherever there is no evidence."""
        if self.evidence == "used" and self.format == "text":
            msg = "evidence 'used' goes with format 'json'; a template shows it always: 'needed'"
            raise ValueError(msg)
        return self

    @property
    def marks(self) -> dict[str, str]:
        """Part of the template -> its placeholder, for the parts that this card has."""
        marks: dict[str, str] = self.placeholders.model_dump()
        return marks if self.evidence == "needed" else {k: v for k, v in marks.items() if k not in _EVIDENCE_PARTS}


class JudgeCard(_Strict):
    """A judge: model, sampling, prompt and protocol.

    Attributes:
        version: "N-L"; results compare, and stored replies are used, only within one N (the comparability number).
            The letter says that something else about the card changed.
        attempts: requests per game: the first, and continuations while no label was named.
        context_tokens: what fits into the judge's window; longer games are skipped with that status. ``None``: unknown.
        notice: a sentence that every output of this judge carries.
    """

    name: str
    version: str = Field(pattern=r"^\d+-[A-Z]$")
    summary: str
    backend: str = "openai"
    model: str
    sampling: Sampling = Sampling()
    prompt: PromptCard
    order: OrderPolicy = "both"
    mode: ReadingMode = "default"
    attempts: int = Field(default=2, ge=1, le=5)
    context_tokens: int | None = Field(default=None, ge=256)
    notice: str = ""

    @property
    def id(self) -> str:
        """Name and version, as results show it."""
        return f"{self.name}@{self.version}"

    @property
    def comparability(self) -> str:
        """Name and N of the version, as request keys carry it: two cards with the same one ask the same questions."""
        return f"{self.name}@{self.version.partition('-')[0]}"

    @cached_property
    def delimiter_pattern(self) -> re.Pattern[str] | None:
        """The delimiters, and what a reader may take for one of them, as a pattern."""
        return imitations(self.prompt.delimiters)


class PromptTexts(_Strict):
    """The texts of a card's prompt, loaded."""

    system: str = ""
    user: str = ""
    continuation: str = ""


def load_card(name_or_path: str) -> tuple[JudgeCard, Path]:
    """Return a judge card and its folder, by installed name or by the path of a folder or ``judge.yaml``.

    Raises:
        ConfigError: no such judge; the card is not valid (names file and field).
    """
    folder = _folder(name_or_path)
    path = folder / "judge.yaml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        msg = f"Judge card {str(path)!r} cannot be read: {' '.join(str(exc).split())}."
        raise ConfigError(msg) from exc
    try:
        return JudgeCard.model_validate(raw), folder
    except ValidationError as exc:
        first = exc.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "(the whole card)"
        msg = f"Judge card {str(path)!r}: field {field!r}: {first['msg']}, got {first['input']!r}."
        raise ConfigError(msg) from exc


def _folder(name_or_path: str) -> Path:
    if "/" in name_or_path or name_or_path.endswith(".yaml"):
        path = Path(name_or_path).expanduser()
        return path.parent if path.name.endswith(".yaml") else path
    offered = plugins.resolve("judges", name_or_path)
    return Path(offered() if callable(offered) else offered)
