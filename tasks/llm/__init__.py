"""Room: llm."""
