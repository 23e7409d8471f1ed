"""Evidence as people are shown it: tables on a terminal, parts of an opened verdict."""
