"""The adapter to lm-evaluation-harness.

``suites`` and ``benchmarks`` are its tasks, and ``base`` is what they share. ``hook`` and ``replay`` are how lm-eval
comes to know us; ``ahead``, ``exits``, ``beside`` and ``gap`` act around an evaluation: before it, at its errors and
its end, beside its files, and where both kinds of tasks were asked.
"""
