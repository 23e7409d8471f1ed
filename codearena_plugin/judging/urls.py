"""Judge URLs: may they be asked, and may they be shown."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from codearena_plugin.errors import ConfigError


def checked_url(url: str) -> str:
    """Return the URL if requests can be sent to it.

    Raises:
        ConfigError: it is no http(s) URL.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        msg = f"judge_base_url={without_credentials(url)!r} is no http(s) URL: expected one such as http://localhost:8000/v1."
        raise ConfigError(msg)
    return url


def without_credentials(url: str) -> str:
    """Return the URL without user, password and query values, fit for messages and results."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(not a URL)"
    names = "&".join(f"{piece.partition('=')[0]}=…" for piece in parts.query.split("&") if piece)
    return urlunsplit((parts.scheme, f"[{host}]{port}" if ":" in host else f"{host}{port}", parts.path, names, ""))
