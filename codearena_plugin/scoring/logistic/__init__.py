"""Logistic paired comparisons as arrays: the rows, Newton's method on them, whether a maximum exists, resampling."""
