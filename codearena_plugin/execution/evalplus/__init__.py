"""HumanEval+ and MBPP+: EvalPlus' problems, and whether a sample passes their tests, run in a sandbox."""
