"""The command line, one module per group of commands. Importing a module registers its commands."""

from flows.cli import build, inspect, serve, templates
from flows.cli.app import app, main

__all__ = ["app", "build", "inspect", "main", "serve", "templates"]
