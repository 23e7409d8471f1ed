"""How two measures of the same models go together: rank correlations, a line with noise on both axes, rank shifts."""
