"""A page of the gap alone: for published models, which have no verdicts to open, and to be passed on by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import ConfigError, DataError, MissingExtraError
from codearena_plugin.gap.execution import title_of
from codearena_plugin.report.page.elements import element, joined
from codearena_plugin.report.page.write import is_page
from codearena_plugin.report.untrusted import one_line

ENDINGS = (".html", ".htm")


def check_gap_page(path: Path) -> None:
    """Refuse a file that cannot be the page, before anything is computed; an older page of ours is replaced.

    Raises:
        ConfigError: another ending, or something else lies there.
        MissingExtraError: matplotlib is not installed.
    """
    if path.suffix.lower() not in ENDINGS:
        msg = f"--html writes {' or '.join(ENDINGS)}, got {path.name!r}."
        raise ConfigError(msg)
    if (path.exists() or path.is_symlink()) and not (path.is_file() and is_page(path)):
        msg = f"--html {str(path)!r} is there and is no page of ours. Choose another file, or remove it."
        raise ConfigError(msg)
    if find_spec("matplotlib") is None:
        feature = "--html"
        raise MissingExtraError(feature, "report")


def write_gap_page(path: Path, gap: Mapping[str, Any]) -> None:
    """Write the page into one file; it has no script, and asks for nothing.

    Args:
        path: of the file.
        gap: plain data of schema ``codearena-gap/1``.

    Raises:
        DataError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path.resolve(), _pieces(gap))
    except OSError as exc:
        msg = f"{str(path)!r} cannot be written: {exc.strerror or exc}. Free the disk or choose another file."
        raise DataError(msg) from exc


def _pieces(gap: Mapping[str, Any]) -> Iterator[str]:
    from codearena_plugin.report.gap.section import gap_section  # it needs matplotlib
    from codearena_plugin.report.page.document import head, own_file

    names = [one_line(model["name"], 60) for model in gap["models"]]
    who = names[0] if len(names) == 1 else f"{len(names)} models"
    title = f"{who}: preference beside {title_of(gap['axis'])}"
    package, options = gap["package"], gap["options"]
    made = f"Made by {package['name']} {package['version']} on {gap['created']}"
    how = f"{options['n_bootstraps']:,} resamples, seed {options['seed']}"
    foot = f"{made}; {how}. This file needs no network and sends nothing anywhere."
    top = element("header", element("h1", title), class_="top")
    yield "<!doctype html>\n"
    yield '<html lang="en">\n'
    yield element("head", *head(title, own_file("page.css"))) + "\n"
    yield element(
        "body", joined([element("main", top, gap_section(gap), id="main"), element("footer", foot, class_="foot")])
    )
    yield "\n</html>\n"
