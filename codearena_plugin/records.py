"""Records: the frozen values that pass between rooms, and the closed sets they use.

One meaning per word, everywhere: a *game* is one judge call in one order (with its continuation);
a *reply* is raw judge text; a *verdict* is the typed reading of the replies of a game;
an *outcome* joins the games of one prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Role = Literal["system", "user", "assistant"]
Difficulty = Literal["easy", "medium", "hard"]
NaturalLanguage = Literal["en", "zh"]
Label = Literal["A>>B", "A>B", "A=B", "B>A", "B>>A"]
Order = Literal["baseline_first", "answer_first"]  # who is "Assistant A"; the paper's game 1 is baseline_first
OrderPolicy = Literal["both", "baseline_first", "answer_first"]
ReadingMode = Literal["default", "reference"]
Status = Literal["scored", "unparsable", "conflicting", "truncated", "refused", "transport-error", "skipped"]
CallErrorKind = Literal[
    "timeout",
    "connection",
    "rate-limit",
    "server",
    "bad-reply",
    "bad-request",
    "context-length",
    "not-asked",
    "missing",
]

DIFFICULTIES: tuple[Difficulty, ...] = get_args(Difficulty)
LABELS: tuple[Label, ...] = get_args(Label)
ORDERS: tuple[Order, ...] = get_args(Order)
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Category:
    """Where a prompt stands in the paper's taxonomy: one of 7 main classes, one of 40 sub-classes."""

    main_class: str
    sub_class: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question of a suite, with its stored baseline answers.

    Attributes:
        languages: canonical programming-language names, sorted by first mention; empty for "general".
        category: ``None`` where the row names no task type that the taxonomy knows ("unclassified").
        difficulty: ``None`` where the row does not say.
        baselines: model name -> its stored answer.
    """

    id: str
    messages: tuple[Message, ...]
    languages: tuple[str, ...] = ()
    category: Category | None = None
    difficulty: Difficulty | None = None
    natural_language: NaturalLanguage = "en"
    baselines: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model under test answered to one prompt; ``text`` may be empty.

    Attributes:
        is_absent: the text is not known (and empty here): verdicts were imported without it. It is never judged.
    """

    prompt_id: str
    model: str
    text: str
    finish_reason: str | None = None
    is_absent: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a judge call was billed for; ``None`` where the server did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class CallError:
    """Why a judge call gave no reply. A value that is counted, not an exception."""

    kind: CallErrorKind
    message: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back from one judge request, after all transport retries.

    Attributes:
        text: the judge's visible text; never its reasoning channel. Empty if ``error`` is set.
        latency_s: of the last request, in seconds, without the waiting before it.
        attempts: HTTP requests that were sent for it, at least 1 (0: none was sent).
        refusal: the server's own refusal text, where its protocol has one.
        served_model: the snapshot that the server says answered.
    """

    text: str = ""
    finish_reason: str | None = None
    usage: Usage = Usage()
    latency_s: float = 0.0
    attempts: int = 0
    error: CallError | None = None
    refusal: str | None = None
    served_model: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The typed reading of a game's replies; ``label`` is set exactly when ``status`` is "scored"."""

    status: Status
    label: Label | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse a verdict that could turn a failure into a number."""
        if (self.status == "scored") != (self.label is not None):
            msg = f"A verdict has a label exactly when it is scored, got {self.status!r} with {self.label!r}."
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Game:
    """One comparison in one order, as it was played: who was asked, what came back, how it reads.

    Attributes:
        request_keys: sha256 of each canonical request, first try first, then the continuation.
        replies: one per request key.
        cached: all replies came from the store; this run paid nothing for the game.
    """

    prompt_id: str
    order: Order
    request_keys: tuple[str, ...]
    replies: tuple[Reply, ...]
    verdict: Verdict
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """Both games of one prompt, joined: 1.0 a win of the answer, 0.5 a tie, 0.0 a loss, ``None`` unscored.

    Attributes:
        points: sum over games of the answer's points (slight 1, significant 2, sign by who won); ``None`` unscored.
        consistent: do the games name the same winner; ``None`` unless every game of two orders was scored.
    """

    prompt_id: str
    score: float | None
    points: int | None
    consistent: bool | None


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its uncertainty, all in the unit of the estimate.

    Attributes:
        n: prompts that the estimate rests on.
        stderr: standard error, clustered by prompt; ``None`` where one prompt alone gives none.
    """

    estimate: float
    low: float
    high: float
    stderr: float | None
    n: int
