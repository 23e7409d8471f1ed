"""The suites of this package: the real one, and the small one for trying things out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from codearena_plugin.errors import ConfigError, DataError
from codearena_plugin.prompts.card import HubSource, TaskCard, embedded_file, load_task_card
from codearena_plugin.prompts.files import find_suite_file, read_rows, sha256_of
from codearena_plugin.prompts.hub import fetch
from codearena_plugin.prompts.rows import parse_row
from codearena_plugin.prompts.suite import Suite, SuiteOptions, build_suite
from codearena_plugin.prompts.taxonomy import load_mapping
from codearena_plugin.records import Prompt

DATA_VARIABLE = "CODEARENA_DATA"

_ADVICE = (
    'Give it as a file: --metadata \'{"codearena_data": "PATH"}\', CODEARENA_DATA=PATH or '
    "`codearena judge --data PATH`; to try things out use the task codearena_mini."
)


def codearena(options: SuiteOptions) -> Suite:
    """Return the CodeArena suite: from ``options.data``, else ``CODEARENA_DATA``, else the hub at the card's revision.

    Nothing else ever stands in for it.

    Raises:
        MissingExtraError: no file was given and the hub's client is not installed.
        DataError: the data cannot be reached or read, or the hub's rows are not as many as the card says.
        ConfigError: an option cannot be used.
    """
    card = load_task_card("codearena")
    given = options.data or os.environ.get(DATA_VARIABLE)
    if given:
        return _from_file(card, options, find_suite_file(given))
    if card.source.hub is None:
        msg = f"Task card {card.name!r}: field 'source.hub': got none, expected the data set's id and revision."
        raise ConfigError(msg)
    return _from_hub(card, options, card.source.hub)


def codearena_mini(options: SuiteOptions) -> Suite:
    """Return the embedded suite of our own prompts; a demo, marked as such.

    Raises:
        ConfigError: ``options.data`` was given; this suite is its own data.
    """
    if options.data:
        msg = f"codearena_mini is its own data and takes no other, got {options.data!r}; use the task codearena."
        raise ConfigError(msg)
    card = load_task_card("codearena_mini")
    file = embedded_file(card)
    prompts = _read(file, options)
    _check_count(card, prompts, file)
    source = f"embedded in codearena-plugin, our own prompts for trying things out (n={len(prompts)})"
    return build_suite(card, prompts, options, revision=f"sha256:{sha256_of(file)}", source=source, is_demo=True)


def _from_file(card: TaskCard, options: SuiteOptions, file: Path) -> Suite:
    prompts = _read(file, options)
    digest = sha256_of(file)
    source = f"{file} (sha256 {digest[:16]}, n={len(prompts)})"
    return replace(
        build_suite(card, prompts, options, revision=f"sha256:{digest}", source=source), file=str(file.resolve())
    )


def _from_hub(card: TaskCard, options: SuiteOptions, hub: HubSource) -> Suite:
    file = fetch(hub, feature=f"{card.title} data set", advice=_ADVICE)
    prompts = _read(file, options)
    _check_count(card, prompts, file)
    source = f"https://huggingface.co/datasets/{hub.dataset} {file.name}@{hub.revision[:7]} (n={len(prompts)})"
    return build_suite(card, prompts, options, revision=hub.revision, source=source)


def _read(file: Path, options: SuiteOptions) -> list[Prompt]:
    mapping = load_mapping(options.taxonomy) if options.taxonomy else None
    return [parse_row(row, where=f"{file}:{line}", mapping=mapping) for line, row in read_rows(file)]


def _check_count(card: TaskCard, prompts: list[Prompt], file: Path) -> None:
    if len(prompts) != card.n_prompts:
        msg = f"{file}: got {len(prompts)} prompts, expected the {card.n_prompts} of the task card {card.name!r}."
        raise DataError(msg)
