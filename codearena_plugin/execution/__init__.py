"""Running code that nobody vouches for: sandboxes, tool chains, and EvalPlus' benchmarks."""
