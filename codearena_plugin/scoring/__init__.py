"""Pure numbers: sequences in, frozen named results out; no file, no network, no clock, no randomness."""
