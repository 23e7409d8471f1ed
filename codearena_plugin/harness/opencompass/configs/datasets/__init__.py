"""Data sets; the files are links to ``tasks/*/opencompass``, and copies of them in a wheel."""
