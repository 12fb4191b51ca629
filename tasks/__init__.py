"""The stages of the pipeline as packages, in the order of the data (see ARCHITECTURE.md)."""
