"""Evidence: what the code in two answers does when it is run, found by the same rules for both sides."""
