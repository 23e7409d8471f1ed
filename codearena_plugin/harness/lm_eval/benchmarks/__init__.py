"""HumanEval+ and MBPP+ as lm-eval tasks: a sandbox runs what the model wrote."""
