"""Harnesses: adapters to the evaluation frameworks of others, the only importers of them."""
