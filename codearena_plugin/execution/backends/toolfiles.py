"""What the tool chains of a Linux distribution need outside ``/usr``, to be read and no more."""

from __future__ import annotations

from pathlib import Path

_PATTERNS = (
    *("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "fonts", "mono", "perl", "php", "R", "python3"),
    *("python3.*", "java*", "octave*", "ghc*", "maven", "chromium*", "ocaml*", "scala*", "groovy*", "erlang*"),
    *("elixir*", "gprconfig*", "texmf", "papersize", "mime.types"),
)
_VARIABLE = ("lib/ghc", "lib/texmf", "lib/R", "cache/fontconfig")


def tool_files() -> list[str]:
    """Return the paths that are there; none of them tells who uses the machine.

    >>> all(path.startswith(("/etc/", "/var/")) for path in tool_files())
    True
    """
    found = [path for pattern in _PATTERNS for path in sorted(Path("/etc").glob(pattern))]
    found += [path for name in _VARIABLE if (path := Path("/var", name)).exists()]
    return [str(path) for path in found]
