"""Whether code parses, as far as our own process can tell: nothing is run, imported or resolved."""
