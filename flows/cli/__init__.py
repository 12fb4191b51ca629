"""The command line, one module per group of commands. Importing a module registers its commands."""

from flows.cli import (
    annotate,
    build,
    calibrate,
    diff,
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
)
from flows.cli.app import app, main

__all__ = [
    "annotate",
    "app",
    "build",
    "calibrate",
    "diff",
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
]
