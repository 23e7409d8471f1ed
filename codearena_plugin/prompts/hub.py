"""Rows from the Hugging Face hub: one file at a pinned revision, from the cache or the network, and no long waits.

``huggingface_hub`` itself retries an unreachable hub for minutes; so the hub is asked once, briefly, before the
download is left to it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from codearena_plugin.errors import DataError, MissingExtraError
from codearena_plugin.prompts.card import HubSource

TIMEOUT_S = 5.0  # for one answer of the hub
DEADLINE_S = 12.0  # for finding out whether it is there at all; name resolution obeys no timeout of HTTP clients


def fetch(hub: HubSource, *, feature: str, advice: str) -> Path:
    """Return the local path of the data set's file, downloaded once and then from the cache.

    ``HF_ENDPOINT``, ``HF_HOME`` and ``HF_HUB_OFFLINE`` are respected.

    Args:
        hub: data set, revision and file names.
        feature: what needs the data, for the message when the client is not installed.
        advice: the end of the message when the data cannot be reached: what else the user can do.

    Raises:
        MissingExtraError: ``huggingface_hub`` is not installed.
        DataError: the hub cannot be reached, or has no such file; one line, within seconds.
    """
    try:
        import huggingface_hub
    except ImportError as exc:
        raise MissingExtraError(feature, "hub") from exc
    cached = _cached(hub)
    if cached:
        return cached
    try:
        file = _within(DEADLINE_S, lambda: _first_existing(hub))
        path = huggingface_hub.hf_hub_download(
            hub.dataset, file, repo_type="dataset", revision=hub.revision, etag_timeout=TIMEOUT_S, endpoint=_endpoint()
        )
    except Exception as exc:  # the client's own errors differ between its versions (requests, httpx, OSError)
        cause = " ".join(f"{type(exc).__name__}: {exc}".split())
        short = cause if len(cause) <= 160 else f"{cause[:159]}…"
        msg = f"{feature} {hub.dataset}@{hub.revision[:7]} cannot be reached ({short}). {advice}"
        raise DataError(msg) from exc
    return Path(path)


def _cached(hub: HubSource) -> Path | None:
    import huggingface_hub

    for file in hub.files:
        found = huggingface_hub.try_to_load_from_cache(hub.dataset, file, repo_type="dataset", revision=hub.revision)
        if isinstance(found, str):
            return Path(found)
    return None


def _first_existing(hub: HubSource) -> str:
    import huggingface_hub
    from huggingface_hub.errors import EntryNotFoundError

    for file in hub.files:
        url = huggingface_hub.hf_hub_url(
            hub.dataset, file, repo_type="dataset", revision=hub.revision, endpoint=_endpoint()
        )
        try:
            huggingface_hub.get_hf_file_metadata(url, timeout=TIMEOUT_S)
        except EntryNotFoundError:
            continue
        return file
    msg = f"the data set has none of {', '.join(hub.files)}"
    raise FileNotFoundError(msg)


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None


def _within(seconds: float, call: Callable[[], str]) -> str:
    """Return what a call returns, or give up waiting; the thread is a daemon, so that it never keeps the process."""
    results: list[str] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as exc:  # handed on to the caller below
            errors.append(exc)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        msg = f"no answer within {seconds:.0f} s"
        raise TimeoutError(msg)
    return results[0]
