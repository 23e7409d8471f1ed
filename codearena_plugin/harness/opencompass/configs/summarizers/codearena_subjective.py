"""The same for the subjective pipeline: one table for each judge model."""

from codearena_plugin.harness.opencompass.summarizer import CodeArenaSubjectiveSummarizer

summarizer = dict(type=CodeArenaSubjectiveSummarizer)
