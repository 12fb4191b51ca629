"""The evaluations of section 4 as Prefect flows."""
