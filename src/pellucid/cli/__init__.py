"""The command line."""


def main() -> None:
    """Run the command line."""
    from pellucid.cli.app import app
    from pellucid.cli.output import quiet_libraries

    quiet_libraries()
    app()
