"""The tables of a leaderboard as files: Markdown, CSV, JSON and LaTeX, all made from the same cells."""
