"""pass@k inside a harness: harnesses generate, and all that comes after it is the same for all of them and is here."""
