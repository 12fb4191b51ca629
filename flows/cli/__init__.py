"""The command line, one module per group of commands; `commands` says which is in which."""

from flows.cli.app import app, main

__all__ = ["app", "main"]
