"""HumanEval+ and MBPP+ as data sets of OpenCompass."""
