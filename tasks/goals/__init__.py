"""Room: goals."""
