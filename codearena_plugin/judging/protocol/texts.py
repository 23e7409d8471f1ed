"""Load the texts of a judge's prompt; obtain, and verify, those that we may not ship."""

from __future__ import annotations

import ast
import hashlib
import http.client
import json
import urllib.request
from pathlib import Path

from codearena_plugin import paths
from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import ConfigError
from codearena_plugin.judging.protocol.card import ExternalText, JudgeCard, PromptTexts

_DOWNLOAD_TIMEOUT_S = 15


def load_texts(card: JudgeCard, folder: Path, *, prompt_file: str | None = None) -> PromptTexts:
    """Return the system, user and continuation texts of a card.

    Args:
        prompt_file: the external system prompt as a plain file, or any Python source that holds it as a constant.

    Raises:
        ConfigError: a text is missing, or an external one cannot be obtained or is not the one the card names.
    """
    prompt = card.prompt
    if prompt_file is not None and not isinstance(prompt.system, ExternalText):
        msg = f"Judge {card.name!r} ships its own prompt; judge_prompt={prompt_file!r} goes with 'codearena-paper'."
        raise ConfigError(msg)
    user = _read(folder, prompt.user)
    absent = [mark for mark in prompt.marks.values() if mark not in user]
    if prompt.format == "text" and absent:
        msg = f"Judge {card.name!r}: its user template {prompt.user!r} lacks {absent[0]!r}: that part would go unseen."
        raise ConfigError(msg)
    unused = [mark for mark in prompt.placeholders.model_dump().values() if mark not in prompt.marks.values()]
    if any(mark in user for mark in unused):
        msg = (
            f"Judge {card.name!r}: its user template {prompt.user!r} has a place for evidence, but the card shows "
            "none. Set prompt.evidence to 'needed', or take the place out."
        )
        raise ConfigError(msg)
    system = prompt.system
    return PromptTexts(
        system=obtain(system, prompt_file) if isinstance(system, ExternalText) else _read(folder, system),
        user=user,
        continuation=_read(folder, prompt.continuation),
    )


def prompt_sha256(card: JudgeCard, texts: PromptTexts) -> str:
    """Return the sha256 over everything that makes a judge's prompt, wherever its files lie."""
    prompt = card.prompt
    made_of = {
        **texts.model_dump(),
        **prompt.model_dump(include={"format", "question", "delimiters"}),
        "placeholders": prompt.marks,
        **({"evidence": prompt.evidence} if prompt.evidence == "needed" else {}),
    }
    return _sha256(json.dumps(made_of, sort_keys=True))


def obtain(text: ExternalText, prompt_file: str | None = None) -> str:
    """Return an external text: from the given file, else our verified copy, else its published source.

    Raises:
        ConfigError: it cannot be had, or what was found has another sha256.
    """
    if prompt_file is not None:
        path = Path(prompt_file).expanduser()
        try:
            source = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            msg = f"judge_prompt={prompt_file!r} cannot be read: {exc}."
            raise ConfigError(msg) from exc
        return _keep(text, find_text(source, text.sha256), where=repr(prompt_file))
    kept = _kept(text)
    if kept is not None:
        return kept
    try:
        with urllib.request.urlopen(text.url, timeout=_DOWNLOAD_TIMEOUT_S) as answer:  # noqa: S310  https, from the card
            source = answer.read().decode("utf-8")
    except (OSError, http.client.HTTPException, ValueError) as exc:  # ValueError: no URL, or no text
        msg = (
            f"The {text.title} cannot be fetched from {text.url} ({' '.join(str(exc).split())}). "
            'Save that file and give it: --judge-prompt FILE, or --metadata \'{"judge_prompt": "FILE"}\'.'
        )
        raise ConfigError(msg) from exc
    return _keep(text, find_text(source, text.sha256), where=text.url)


def find_text(source: str, sha256: str) -> str | None:
    """Return the text with this sha256: the source itself, without its final newline, or a string constant in it."""
    for candidate in (source, source.removesuffix("\n")):
        if _sha256(candidate) == sha256:
            return candidate
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _sha256(node.value) == sha256:
            return node.value
    return None


def _keep(text: ExternalText, found: str | None, *, where: str) -> str:
    if found is None:
        msg = f"{where} does not hold the {text.title}: no text in it has sha256 {text.sha256}."
        raise ConfigError(msg)
    if _kept(text) is None:
        path = _kept_path(text)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, found)
        except OSError:  # a read-only home only costs the next run another fetch
            pass
    return found


def _kept(text: ExternalText) -> str | None:
    """Return our copy; ``None`` where there is none, or where it is damaged and must be had anew."""
    try:
        source = _kept_path(text).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return source if _sha256(source) == text.sha256 else None


def _kept_path(text: ExternalText) -> Path:
    return paths.home_dir() / "prompts" / f"{text.sha256}.txt"


def _read(folder: Path, name: str | None) -> str:
    if name is None:
        return ""
    try:
        return (folder / name).read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as exc:
        msg = f"The judge card in {str(folder)!r} names {name!r}, which cannot be read: {exc}."
        raise ConfigError(msg) from exc


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
