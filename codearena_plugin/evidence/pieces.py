"""An answer's fenced blocks as pieces of code: what each is, and what belongs together.

One rule for every answer, and a simple one. A block is a piece. Beside a program stand the blocks of its language in
the same answer that only define something: where it does not work alone, it is tried with them. A page takes the style
of its answer, and the scripts that speak to a page or to which it refers.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from codearena_plugin import fences
from codearena_plugin.evidence import pages, shapes
from codearena_plugin.evidence.python_shape import PythonShape, is_skeleton, python_shape
from codearena_plugin.evidence.record import Kind
from codearena_plugin.judging.static.guess import guess
from codearena_plugin.judging.static.kinship import NOT_CODE
from codearena_plugin.languages import canonical_language, canonical_languages

MOST_BLOCKS = 16
"""Pieces of an answer that are looked at, for either side."""
MOST_CHARACTERS = 100_000
_PATCH = re.compile(r"\A(?:diff --git |--- [^\n]+\n\+\+\+ |@@ -\d)")
_SESSION = re.compile(r"^(?:\$ |>>> |[\w@:~-]{2,40}\$ |> \w)", re.MULTILINE)
_SCRIPT = re.compile(r"\A#!|^(?:for|while|until|if|case|function)\b|^\w+\s?\(\)\s*\{|^(?:echo|printf)\b", re.MULTILINE)
_CHANGES_A_MACHINE = re.compile(
    r"(?:^|[|;&(`]|\b(?:xargs|do|then|else|exec|time) )[ \t]*"
    r"(?:sudo|apt|apt-get|yum|dnf|brew|pacman|snap|pip3?|conda|npm|npx|yarn|pnpm|gem|cargo|"
    r"go|docker|docker-compose|podman|kubectl|helm|terraform|systemctl|service|ssh|scp|rsync|curl|wget|git|mount|dd|"
    r"mkfs|useradd|chown|reboot|shutdown|iptables|ufw|python3? -m (?:pip|venv)|virtualenv|dotnet|mvn|gradle|make)\b",
    re.MULTILINE,
)
_PYTHONIC = re.compile(r"\b(?:def|import|class|return|print|for|while|if|with|lambda)\b|=")
_VALUE = re.compile(r"\s*[\[{][^;()=]*[\]}]\s*\Z")
_MARKUP = re.compile(r"(?:\s|//[^\n]*\n)*<(?:template|script|style)\b")
_MODULE = re.compile(r"^[ \t]{0,8}(?:import|export)\b", re.MULTILINE)
_A_NAME = re.compile(r"[A-Za-z0-9+#.]{1,16}")  # an unknown tag is the candidate's own word, and a judge reads it
_NO_CODE = "output, or no code"
_NO_PAGE = "a template or a component, no page yet"
_WANTS_PAGE = "a script that wants its page"
_WHY: Mapping[Kind, str] = {
    "shell": "commands",
    "config": "settings",
    "text": "no code",
    "patch": "a patch for files that are not here",
}
_ALONE = frozenset(
    ("Haskell", "Java", "C#", "C++", "C", "Rust", "JavaScript", "TypeScript", "PHP", "Ruby", "Perl", "Lua", "R")
)


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that can be tried, or that is left alone.

    Attributes:
        kind, language: what it is; the language is canonical, empty where nobody knows it.
        code: the block's own; of a page all of it.
        beside: definitions of the same language from other blocks of the answer, in order.
        others: files to which a page refers, by path.
        n_blocks: fenced blocks in it.
        why: why it is not tried, or not run.
        missing: names of Python that it uses and nobody defines.
        is_guess: of a page: it was joined with scripts to which nothing refers.
    """

    kind: Kind
    language: str
    code: str
    beside: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)
    n_blocks: int = 1
    why: str = ""
    missing: tuple[str, ...] = ()
    is_guess: bool = False

    @property
    def key(self) -> str:
        """The sha256 of all that decides what becomes of it, and how that is said."""
        parts = [self.kind, self.language, self.code, list(self.beside), sorted(self.others.items())]
        made_of = [*parts, self.n_blocks, self.is_guess]
        return hashlib.sha256(json.dumps(made_of).encode("ascii")).hexdigest()


def pieces_of(text: str) -> tuple[tuple[Piece, ...], int]:
    r"""Return the pieces of an answer (without its reasoning trace), and how many more blocks it has.

    >>> [(piece.kind, piece.language) for piece in pieces_of("```python\nprint(1)\n```\n```sh\npip install x\n```")[0]]
    [('program', 'Python'), ('shell', 'Bash')]
    """
    blocks = [block for block in fences.split(text).blocks if block.code.strip()]
    kept = [_piece(block) for block in blocks[:MOST_BLOCKS]]
    joined = _with_definitions(_with_pages(kept))
    return tuple(piece for piece in joined if piece is not None), max(0, len(blocks) - MOST_BLOCKS)


def language_of(block: fences.Block) -> str:
    """Return the canonical language of a block by its tag, else by its marks; empty where neither tells."""
    if block.language_tag in NOT_CODE:
        return (guess(block.code) or "") if block.language_tag == "" else ""
    names = canonical_languages([block.language_tag])
    is_named = len(names) == 1 and (canonical_language(names[0]) or _A_NAME.fullmatch(names[0]))
    return names[0] if is_named else ""


def _piece(block: fences.Block) -> Piece:
    language = language_of(block)
    if len(block.code) > MOST_CHARACTERS:
        return Piece("text", language, block.code, why="too long to be tried")
    if block.language_tag in {"diff", "patch"} or _PATCH.match(block.code):
        return Piece("patch", language, block.code, why=_WHY["patch"])
    if not language:
        return Piece("text", "", block.code, why="no code, or in a language that cannot be told")
    return _READERS.get(language, functools.partial(_other, language))(block.code)


def _other(language: str, code: str) -> Piece:
    kind = shapes.shape(language, code)
    return Piece(kind, language, code, why=_WHY.get(kind, ""))


def _python(code: str) -> Piece:
    if ">>> " in code:
        return Piece("snippet", "Python", code, why="a session with its output")
    found = python_shape(code)
    if found is None:
        return _no_python(code)
    if found.missing:
        return Piece("snippet", "Python", code, why=_uses(found.missing), missing=found.missing)
    if found.is_value:
        return Piece("text", "Python", code, why=_NO_CODE)
    if shapes.is_left_out(code):
        return Piece("snippet", "Python", code, why="parts of it are left out")
    return Piece("program" if found.acts else "function", "Python", code)


def _html(code: str) -> Piece:
    if pages.is_template(code):
        return Piece("snippet", "HTML", code, why=_NO_PAGE)
    return Piece("page", "HTML", code)


def _style(language: str, code: str) -> Piece:
    return Piece("snippet", language, code, why="style without its page")


def _javascript(code: str) -> Piece:
    if _VALUE.match(code):
        return Piece("text", "JavaScript", code, why=_NO_CODE)
    if _MARKUP.match(code):
        return Piece("snippet", "JavaScript", code, why=_NO_PAGE)
    if shapes.wants_browser(code):
        return Piece("snippet", "JavaScript", code, why=_WANTS_PAGE)
    return _other("JavaScript", code)


def _no_python(code: str) -> Piece:
    """Return what code under Python's tag is that Python cannot read: by default a program with an error of syntax."""
    if _CHANGES_A_MACHINE.match(code.lstrip()):
        return _bash(code)
    if not _PYTHONIC.search(code):
        return Piece("text", "Python", code, why=_NO_CODE)
    if shapes.is_left_out(code) or is_skeleton(code) or "..." in code or "…" in code:
        return Piece("snippet", "Python", code, why="parts of it are left out")
    return Piece("program", "Python", code)


def _uses(names: Sequence[str]) -> str:
    shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
    return f"it uses what no block defines: {shown}"


def _bash(code: str) -> Piece:
    if _SESSION.search(code):
        return Piece("text", "Bash", code, why="a session with its output")
    changes = _CHANGES_A_MACHINE.search(code)
    if changes:
        return Piece(
            "shell", "Bash", code, why=f"commands that change a machine or want the network ({_word(changes[0])})"
        )
    if _SCRIPT.search(code) and not shapes.is_left_out(code):
        return Piece("program", "Bash", code)
    return Piece("shell", "Bash", code, why="commands")


def _word(found: str) -> str:
    return re.sub(r"\W*", "", found.rsplit(maxsplit=1)[-1])[:20] if found.split() else ""


_READERS: Mapping[str, Callable[[str], Piece]] = {
    "Python": _python,
    "Bash": _bash,
    "HTML": _html,
    "JavaScript": _javascript,
    **{language: functools.partial(_style, language) for language in pages.STYLES},
}


def _with_pages(pieces: Sequence[Piece]) -> list[Piece | None]:
    """Put style and scripts into the first page; what went there is no piece of its own any more."""
    found: list[Piece | None] = list(pieces)
    first = next((place for place, piece in enumerate(pieces) if piece.kind == "page"), None)
    if first is None:
        return found
    styles = [(i, piece.code) for i, piece in enumerate(pieces) if piece.language == "CSS"]
    scripts = [
        (i, piece.code) for i, piece in enumerate(pieces) if piece.why == _WANTS_PAGE and not _MODULE.search(piece.code)
    ]
    page = pages.assemble(pieces[first].code, styles, scripts)
    found[first] = replace(
        pieces[first], code=page.html, others=page.others, n_blocks=1 + len(page.used), is_guess=page.is_guess
    )
    for place in page.used:
        found[place] = None
    return found


def _with_definitions(pieces: Sequence[Piece | None]) -> list[Piece | None]:
    """Set the definitions of an answer beside its programs."""
    definitions: dict[str, list[str]] = {}
    for piece in pieces:
        if piece is not None and piece.kind == "function":
            definitions.setdefault(piece.language, []).append(piece.code)
    found: list[Piece | None] = []
    for piece in pieces:
        beside = tuple(definitions.get(piece.language, ())) if piece is not None else ()
        if piece is None or not beside:
            found.append(piece)
        elif piece.language == "Python":
            found.append(_python_with(piece, beside))
        else:
            is_tried = piece.kind == "program" and piece.language in _ALONE
            found.append(replace(piece, beside=beside) if is_tried else piece)
    return found


def _python_with(piece: Piece, beside: tuple[str, ...]) -> Piece:
    """Return a fragment whose missing names other blocks define as the program, or the definitions, that it is."""
    if not piece.missing:
        return piece
    defined: set[str] = set()
    missing: set[str] = set(piece.missing)
    for code in beside:
        shape: PythonShape | None = python_shape(code)
        if shape is not None:
            defined |= shape.bound
    own = python_shape(piece.code)
    if missing <= defined and own is not None:
        return replace(piece, kind="program" if own.acts else "function", beside=beside, why="", missing=())
    return piece
