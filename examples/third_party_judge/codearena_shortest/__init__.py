"""A judge of our own: a card, and a back end that answers it. Names only; the work is imported when it is used."""

from pathlib import Path

from codearena_plugin import Offer, hookimpl

CARD = Path(__file__).parent / "judge"


@hookimpl
def codearena_judges():
    return [Offer("shortest", "codearena_shortest:CARD", "the shorter answer wins")]


@hookimpl
def codearena_backends():
    return [Offer("shortest", "codearena_shortest.backend:create", "counts characters")]
