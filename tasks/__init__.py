"""The rooms of the pipeline, one per stage of the paper, in the order the data walks through them (see ARCHITECTURE.md)."""
