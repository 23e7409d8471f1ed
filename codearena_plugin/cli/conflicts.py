"""What does not fit together in this environment, read off installed versions: OpenCompass pins what others outgrew.

Measured with opencompass 0.5.4; each line says what fails and what to do. Peers are looked up, never imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from codearena_plugin.cli.lm_eval import installed

OLDEST_OPENCOMPASS = (0, 5, 4)
NEWEST_PYTHON = (3, 12)
_ELSEWHERE = "keep it in an environment of its own"


@dataclass(frozen=True, slots=True)
class Limit:
    """A package, and the first version of it that OpenCompass does not work with."""

    package: str
    below: tuple[int, ...]
    why: str
    advice: str


LIMITS = (
    Limit("numpy", (2,), "OpenCompass needs numpy<2", "pip install 'numpy<2'"),
    Limit("pyarrow", (26,), "it needs numpy 2, which OpenCompass refuses", "pip install 'pyarrow<26'"),
    Limit("transformers", (5,), "HF models of OpenCompass fail with it", "pip install 'transformers<5'"),
    Limit("datasets", (4,), "OpenCompass needs datasets<4", "pip install 'datasets<4'"),
    Limit("httpx", (0, 28), "OpenCompass needs httpx 0.27.2", "pip install httpx==0.27.2"),
    Limit("tree-sitter", (0, 22), "OpenCompass needs tree-sitter 0.21.3", "pip install tree-sitter==0.21.3"),
    Limit("evalplus", (0, 3), "it needs tree-sitter>=0.22, OpenCompass 0.21.3", _ELSEWHERE),
    Limit("vllm", (0, 14, 1), "from 0.14.1 on it needs numpy 2", f"{_ELSEWHERE} and let it serve a URL"),
    Limit("datatrove", (0, 4), "it needs numpy 2", _ELSEWHERE),
)


def conflicts(
    version_of: Callable[[str], str | None] = installed, python: tuple[int, ...] = sys.version_info[:2]
) -> Iterator[tuple[str, str]]:
    """Yield what to name and what to say, for everything that keeps the OpenCompass of this environment from working.

    >>> versions = {"opencompass": "0.5.4", "numpy": "1.26.4", "pyarrow": "26.0.1"}
    >>> for package, said in conflicts(versions.get, (3, 11)):
    ...     print(package, said)
    pyarrow 26.0.1: it needs numpy 2, which OpenCompass refuses; pip install 'pyarrow<26'
    """
    opencompass = version_of("opencompass")
    if opencompass is None:
        return
    if numbers(opencompass) < OLDEST_OPENCOMPASS:
        yield "opencompass", f"{opencompass} is too old; pip install 'codearena-plugin[opencompass]'"
    if python > NEWEST_PYTHON:
        found = ".".join(map(str, python))
        yield "python", f"{found}: OpenCompass runs on 3.10 to 3.12; make its environment with one of those"
    versions: Mapping[str, str | None] = {limit.package: version_of(limit.package) for limit in LIMITS}
    for limit in LIMITS:
        version = versions[limit.package]
        if version is not None and numbers(version) >= limit.below:
            yield limit.package, f"{version}: {limit.why}; {limit.advice}"


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version.

    >>> numbers("0.14.0"), numbers("2.9.1+cpu"), numbers("26.0.0rc1")
    ((0, 14, 0), (2, 9, 1), (26, 0))
    """
    found = []
    for part in version.partition("+")[0].split("."):
        if not part.isdigit():
            break
        found.append(int(part))
    return tuple(found)
