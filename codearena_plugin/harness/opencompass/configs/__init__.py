"""Configs of OpenCompass, for ``read_base`` and ``--config-dir``: literals and imports of classes only."""
