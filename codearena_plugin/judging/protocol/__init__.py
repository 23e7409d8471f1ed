"""The protocol: what a judge is shown, in which words, and how its reply is read."""
