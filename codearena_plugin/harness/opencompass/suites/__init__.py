"""Suites of prompts in OpenCompass: its objective and its subjective pipeline, with our judge."""
