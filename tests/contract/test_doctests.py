"""Every example in a docstring is true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from importlib.util import find_spec

import pytest

import codearena_plugin

PEERS = ("lm_eval", "opencompass", "datasets")
MODULES = [
    module.name
    for module in pkgutil.walk_packages(codearena_plugin.__path__, "codearena_plugin.")
    if not module.name.endswith(".__main__")
]


def examples_of(name: str) -> list[doctest.DocTest]:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as exc:
        peer = (exc.name or "").partition(".")[0]
        if peer in PEERS and ".harness." in name and find_spec(peer) is None:
            pytest.skip(f"{peer} is not installed")
        raise
    return [found for found in doctest.DocTestFinder(exclude_empty=True).find(module) if found.examples]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    for test in examples_of(name):
        runner.run(test, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


def test_there_are_examples_at_all() -> None:
    names = ("languages", "reasoning", "report.facts", "errors", "scoring.rates")
    assert all(examples_of(f"codearena_plugin.{name}") for name in names)
