"""Prompts: what is asked, from a file or the hub to checked records, and the answers that models gave."""
