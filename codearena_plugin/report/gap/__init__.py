"""The gap for people: tables on a terminal and in files, and a plot."""
