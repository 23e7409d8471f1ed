"""What the closer look at large values comes to: a sandbox that fails is nobody's verdict."""

from __future__ import annotations

import pytest

from codearena_plugin.execution.evalplus.engine import close_verdict
from codearena_plugin.execution.sandbox import Ending, Finished


def frames(*bodies: bytes) -> bytes:
    """Return one part for each digest: what the driver states, and its end."""
    return b"".join(b"c" + len(body).to_bytes(4, "little") + body + b"e" + bytes(4) for body in bodies)


def said(*bodies: bytes, cut: int = 0) -> Finished:
    stream = frames(*bodies)
    return Finished((Ending("exited", exit_code=0, stdout=stream[: len(stream) - cut]),))


LOST = Finished((Ending("lost", problem="gone"),))
LATE = Finished((Ending("timeout", stdout=frames(b"one")),))


@pytest.mark.parametrize(
    ("ours", "theirs", "outcome", "test"),
    [
        (said(b"one", b"two"), said(b"one", b"two"), "pass", 0),
        (said(b"one", b"two"), said(b"one", b"other"), "fail", 9),
        (said(b"one", b"two"), LATE, "timeout", 9),
        (said(b"one", b"two"), said(b"one", b"two", cut=5), "fail", 9),
        (LOST, said(b"one", b"two"), "not-run", 0),
        (said(b"one", b"two"), LOST, "not-run", 0),
        (said(b"one", b"two", cut=5), said(b"one", b"two", cut=5), "not-run", 0),
    ],
)
def test_only_another_value_or_an_end_of_its_own_is_held_against_a_sample(
    ours: Finished, theirs: Finished, outcome: str, test: int
) -> None:
    found = close_verdict((3, 9), ours, theirs)
    assert (found.outcome, found.test) == (outcome, test)
    assert bool(found.why) == (outcome != "pass")
