"""Asking: one question to a judge and its reply, many at once, within limits, each kept before it is used."""
