"""Room: prompts."""
