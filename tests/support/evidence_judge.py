"""A scripted judge that reads the evidence: the side whose code did better wins, else the longer one; with some noise.

A script for ``judge_server.JudgeServer``. What it says depends on the request's text alone, and it names sides by what
they are and not by where they stand.
"""

from __future__ import annotations

import re
from typing import Any

from judge_server import Script, judge_by_length, share

SIDE = re.compile(r"<evidence_([ab])>\n(.*?)\n</evidence_\1>", re.DOTALL)
GOOD = re.compile(r"^Block .*(?:it ran and ended|rendered by a browser(?!, but))", re.MULTILINE)
BAD = re.compile(
    r"^Block .*(?:does not parse|does not compile|failed when it was run|a script of it threw an error)", re.MULTILINE
)
TURNED = {"A>>B": "B>>A", "A>B": "B>A", "A=B": "A>B", "B>A": "A>B", "B>>A": "A>>B"}


def judge_by_evidence(prompt: str) -> str:
    """Return a label: a failed block costs twice what a block that ran brings; equal code is judged by its length."""
    sides = {side: len(GOOD.findall(text)) - 2 * len(BAD.findall(text)) for side, text in SIDE.findall(prompt)}
    difference = sides.get("a", 0) - sides.get("b", 0)
    if difference == 0:
        return judge_by_length(prompt)
    strong = abs(difference) > 2
    return ("A>>B" if strong else "A>B") if difference > 0 else ("B>>A" if strong else "B>A")


def scripted(noise: float = 0.0, salt: str = "") -> Script:
    """Return a script that judges so, and names another label in a share ``noise`` of the games.

    The noise is of the two answers and their order, not of what is shown beside them: it is the same with and without
    evidence. Another ``salt`` is the same judge asked once more.
    """

    def script(body: dict[str, Any], _times: int) -> dict[str, Any] | None:
        text = "\n".join(str(message["content"]) for message in body["messages"])
        if "<answer_a>" not in text:
            return None
        label = judge_by_evidence(text)
        answers = SIDE.sub("", text[text.index("<question>") :])
        if share("".join(answers.split()), f"noise{salt}") < noise:
            label = TURNED[label]
        return {"text": f"I solved it myself first.\n\nMy verdict: [[{label}]]"}

    return script
