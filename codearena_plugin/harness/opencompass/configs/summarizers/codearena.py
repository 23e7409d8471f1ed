"""``--summarizer codearena``: the table of every data set of the run, and why a score is missing."""

from codearena_plugin.harness.opencompass.summarizer import CodeArenaSummarizer

summarizer = dict(type=CodeArenaSummarizer)
