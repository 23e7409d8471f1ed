"""Suites of prompts as lm-eval tasks: a judge compares answers with the baseline's."""
