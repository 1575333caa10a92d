"""The `bootstrap` command: parse, call the library's function of the same name, render, exit."""

from bootstrap.cli.commands import cli


def main() -> None:
    """Runs the command; the entry point of the distribution."""
    cli(prog_name="bootstrap")
