"""The adapter to OpenCompass.

``suites`` and ``benchmarks`` are its data sets with their evaluators, ``configs`` what a user names. ``hook`` is how
OpenCompass finds them; ``backend`` and ``environment`` are judges that it brings; ``exits`` and ``summarizer`` tell how
an evaluation ended.
"""
