from __future__ import annotations

from codearena_plugin.languages import NAMES
from codearena_plugin.syntax import grammars


def test_the_table_knows_only_names_of_the_table_of_languages() -> None:
    assert set(grammars._OTHER_GRAMMARS) <= set(NAMES.values())
    assert set(grammars._SAME_NAME.split()) <= {name.lower() for name in NAMES.values()}
