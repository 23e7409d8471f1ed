"""Verdicts that come from elsewhere and verdicts that go elsewhere: imports, and the export of games as rows."""
