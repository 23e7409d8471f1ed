"""The folders of the judges that we ship, as our own offers name them."""

from __future__ import annotations

from codearena_plugin import paths

codearena = paths.data_dir("judges") / "codearena"
codearena_paper = paths.data_dir("judges") / "codearena-paper"
codearena_evidence = paths.data_dir("judges") / "codearena-evidence"
static = paths.data_dir("judges") / "static"
