"""Judging: from prompts and answers to games, each with its verdict."""
