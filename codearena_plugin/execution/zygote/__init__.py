"""What runs inside a sandbox: a waiting interpreter that forks once for each step.

Its modules run on the interpreter that the user names, which may be Python 3.8 and lack this package: they import the
standard library and each other, nothing else.
"""
