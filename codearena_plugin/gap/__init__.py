"""Preference beside execution: which models are preferred more, or less, than their pass@1 leads one to expect."""
