"""Results in other forms than a table on a terminal: what ``codearena rescore --format`` prints."""

from __future__ import annotations

import json
from typing import Any

from codearena_plugin.report.untrusted import one_line
from codearena_plugin.runs.result import RATES, Result

_KINDS = {"class": "class", "difficulty": "difficulty", "language": "language"}


def as_json(result: Result) -> str:
    """Return the whole result as JSON, schema ``codearena-result/1``."""
    return json.dumps(result.to_json(), indent=1)


def as_markdown(result: Result) -> str:
    """Return the main numbers and tables as Markdown; a withheld score is said, not shown."""
    found = result.to_json()
    manifest, metrics = found["manifest"], found["metrics"]
    suite, judge = manifest["suite"], manifest["judge"]
    lines = [
        f"**{_cell(manifest['model'])}** against {_cell(suite['baseline'])} on {_cell(suite['name'])} "
        f"{suite['version']}, judged by {_cell(judge['model'])} ({judge['card']}); "
        f"{metrics['n_scored']} of {metrics['n_prompts']} prompts scored.",
        "",
    ]
    if judge["notice"]:
        lines += [f"> {judge['notice']}", ""]
    if found["withheld"]:
        lines += [f"No score: {found['withheld']}.", ""]
    lines += ["| | % | 95 % interval | n |", "|---|--:|--:|--:|"]
    lines += [f"| {name.replace('_', ' ')} | {_numbers(metrics[name])} |" for name in (*RATES, "order_consistency")]
    for kind, title in _KINDS.items():
        lines += ["", f"| {title} | score % | 95 % interval | n |", "|---|--:|--:|--:|"]
        lines += [
            f"| {_cell(row['name'])} | {_numbers(row['score'], row['n_scored'])} |" for row in found["strata"][kind]
        ]
    return "\n".join(lines)


def _numbers(interval: dict[str, Any] | None, n: int | None = None) -> str:
    if interval is None:
        return f"– | – | {'–' if n is None else n}"
    low, high = 100 * interval["low"], 100 * interval["high"]
    return f"{100 * interval['estimate']:.1f} | {low:.1f} – {high:.1f} | {interval['n']}"


def _cell(text: Any) -> str:
    return one_line(str(text)).replace("|", "\\|")
