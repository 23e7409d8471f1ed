from __future__ import annotations

import pytest

from codearena_plugin.cli.conflicts import conflicts

GOOD = {
    "opencompass": "0.5.4",
    "numpy": "1.26.4",
    "pyarrow": "25.0.1",
    "transformers": "4.57.6",
    "datasets": "3.6.0",
    "httpx": "0.27.2",
    "tree-sitter": "0.21.3",
    "vllm": "0.14.0",
}


def found(python: tuple[int, int] = (3, 11), **versions: str) -> dict[str, str]:
    given = GOOD | {name.replace("_", "-"): version for name, version in versions.items()}
    return dict(conflicts(given.get, python))


def test_what_starts_today_has_no_conflict():
    assert found() == {}


@pytest.mark.parametrize(
    ("package", "version", "said"),
    [
        ("pyarrow", "26.0.1", "pip install 'pyarrow<26'"),
        ("transformers", "5.23.0", "pip install 'transformers<5'"),
        ("numpy", "2.3.5", "OpenCompass needs numpy<2"),
        ("evalplus", "0.3.1", "keep it in an environment of its own"),
        ("vllm", "0.32.0", "let it serve a URL"),
        ("datatrove", "0.10.1", "it needs numpy 2"),
        ("opencompass", "0.5.3", "too old"),
    ],
)
def test_each_conflict_says_why_and_what_to_do(package, version, said):
    (line,) = found(**{package: version}).values()
    assert line.startswith(version)
    assert said in line


def test_a_python_that_it_cannot_run_on_is_named():
    assert "OpenCompass runs on 3.10 to 3.12" in found(python=(3, 13))["python"]


def test_without_opencompass_nothing_conflicts():
    assert dict(conflicts({"numpy": "2.3.5", "pyarrow": "26.0.1"}.get, (3, 13))) == {}
