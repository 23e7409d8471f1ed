"""The command line ``codearena``."""
