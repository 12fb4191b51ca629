"""The command line, one module per group of commands. Importing a module registers its commands."""

from flows.cli import (
    annotate,
    build,
    datasets,
    diff,
    erase,
    evaluate,
    export,
    finetune,
    inspect,
    lineage,
    listing,
    probe,
    review,
    serve,
    templates,
    upgrade,
)
from flows.cli.app import app, main

__all__ = [
    "annotate",
    "app",
    "build",
    "datasets",
    "diff",
    "erase",
    "evaluate",
    "export",
    "finetune",
    "inspect",
    "lineage",
    "listing",
    "main",
    "probe",
    "review",
    "serve",
    "templates",
    "upgrade",
]
