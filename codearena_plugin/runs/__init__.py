"""Runs: a suite, answers and a judge, joined into one result and kept in one directory."""
