"""The task card: ``tasks/<name>/task.yaml`` as a checked value."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from codearena_plugin import paths
from codearena_plugin.errors import ConfigError, unknown_name

_Text = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HubSource(_Part):
    """Rows on the Hugging Face hub.

    Attributes:
        revision: full commit hash; a name that moves would let two people judge different prompts.
        files: names under which the file is known, the likeliest first.
    """

    dataset: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
    split: _Text
    files: Annotated[tuple[_Text, ...], Field(min_length=1)]


class EmbeddedSource(_Part):
    """Rows that ship with the package; the path is relative to the card."""

    file: _Text


class Source(_Part):
    """Where the rows come from: exactly one of the two."""

    hub: HubSource | None = None
    embedded: EmbeddedSource | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Source:
        if (self.hub is None) == (self.embedded is None):
            msg = "expected exactly one of 'hub' and 'embedded'"
            raise ValueError(msg)
        return self


class TaskCard(_Part):
    """What is asked: data, counts, and the defaults of baseline and judge.

    Attributes:
        version: ``"N-L"``: N rises when results are no longer comparable, L when only the interface changed.
        licence: of the data.
        baseline: model whose stored answers are the opponent unless the user chooses another.
        judge: name of the default judge card.
        answer_sets: name -> file with complete candidate answers, relative to the card; only for demo suites.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: _Text
    version: Annotated[str, Field(pattern=r"^[1-9]\d*-[A-Z]$")]
    summary: _Text
    licence: _Text
    arxiv: Annotated[str, Field(pattern=r"^\d{4}\.\d{4,5}$")] | None = None
    source: Source
    n_prompts: Annotated[int, Field(gt=0)]
    baseline: _Text
    judge: _Text
    answer_sets: dict[str, str] = {}


def load_task_card(name: str) -> TaskCard:
    """Return the shipped card of a task.

    Raises:
        ConfigError: no such task, or its card is wrong; the message names file and field.
    """
    return read_task_card(_card_path(name))


def read_task_card(path: Path) -> TaskCard:
    """Return the card in a file; its folder must be called as the task."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        msg = f"The task card {str(path)!r} cannot be read: {exc.strerror or exc}."
        raise ConfigError(msg) from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        msg = f"{path}: not YAML: {' '.join(str(exc).split())}"
        raise ConfigError(msg) from exc
    try:
        card = TaskCard.model_validate(content)
    except ValidationError as exc:
        msg = f"{path}: {_first_problem(exc)}"
        raise ConfigError(msg) from exc
    if card.name != path.parent.name:
        msg = f"{path}: field 'name': got {card.name!r}, expected {path.parent.name!r}, the name of its folder."
        raise ConfigError(msg)
    return card


def embedded_file(card: TaskCard) -> Path:
    """Return the file of an embedded suite's rows."""
    if card.source.embedded is None:
        msg = f"Task {card.name!r} has no embedded rows; its source is {card.source!r}."
        raise ConfigError(msg)
    return _card_path(card.name).parent / card.source.embedded.file


def answer_set(card: TaskCard, name: str) -> Path:
    """Return the file of one of the candidate answer sets that a demo suite ships."""
    if name not in card.answer_sets:
        raise ConfigError(unknown_name("answer set", name, card.answer_sets))
    return _card_path(card.name).parent / card.answer_sets[name]


def _card_path(name: str) -> Path:
    root = paths.data_dir("tasks")
    known = {path.parent.name: path for path in root.glob("*/task.yaml")}
    if name not in known:
        raise ConfigError(unknown_name("task", name, known))
    return known[name]


def _first_problem(exc: ValidationError) -> str:
    problems = exc.errors(include_url=False, include_context=False)
    first = problems[0]
    field = ".".join(str(part) for part in first["loc"]) or "(whole card)"
    more = f" (and {len(problems) - 1} more problems)" if len(problems) > 1 else ""
    return f"field {field!r}: got {first['input']!r}: {first['msg']}.{more}"
