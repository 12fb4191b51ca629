"""The entry point of the command `redial`."""


def main() -> None:
    """Run the command line; see `flows.cli`."""
    from flows.cli import main as run

    run()
