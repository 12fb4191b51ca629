"""Room: templates."""
