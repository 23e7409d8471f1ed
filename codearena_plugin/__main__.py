"""``python -m codearena_plugin`` is the command line ``codearena``."""

from __future__ import annotations

import sys

from codearena_plugin.cli.main import main

sys.exit(main())
