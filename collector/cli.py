"""Finds the command. `collect` alone, or with options only, is `collect run`.

Exit codes: 0 done; 1 a mistake or a missing piece, explained in two sentences; 2 wrong options; 3 measured, but
the model did not load or every request failed (the run is stored); 128 and the signal's number: stopped by Ctrl-C
(130), SIGTERM (143) or a closed terminal (129); what was measured is stored.

A server is given up when it is silent for 30 minutes, answers one request for more than 6 hours, or sends more than 256
MB or 200,000 events; redirects are not followed, and LM_API_TOKEN goes to the address of --url alone.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

import click

from collector import __version__, stopping, streams
from collector.errors import CollectorError, OutputLost, refused

DEFAULT = "run"
ROOM = "Make room, or send it elsewhere."
COMMANDS = Path(__file__).parent / "commands"


class Commands(click.Group):
    """One file in `commands/` is one command; it is imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The files of the folder, by name."""
        return sorted(path.stem for path in COMMANDS.glob("[a-z]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The function `command` of the file of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"collector.commands.{cmd_name}").command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options without a command go to the default one."""
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "--version")):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; one that is stopped and has nothing to say of it ends with a word."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            from collector.commands import say

            say("Stopped.")
            ctx.exit(stopping.exit_code(130))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Under `collect --help` stand the options of measuring, which need no command."""
        measuring = self.get_command(ctx, DEFAULT)
        assert measuring is not None
        measuring.format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(cls=Commands, epilog=(__doc__ or "").partition("\n\n")[2])
@click.version_option(__version__, prog_name="collect")
def collect() -> None:
    """Measure the model that a local server has loaded, and store the run as one Parquet file."""


def main() -> None:
    """Run the command line; a CollectorError becomes two sentences and exit code 1."""
    with stopping.watching():
        with streams.bearing() as lost:
            code = _code()
        if lost:
            from collector.commands import complain

            complain(OutputLost(f"What goes to standard output could not be written: {lost[0].strerror}.", ROOM))
        sys.exit(stopping.exit_code(1 if lost else code))


def _code() -> int:
    try:
        collect(prog_name="collect")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except CollectorError as error:
        from collector.commands import complain

        complain(error)
        return 1
    except OSError as error:  # of a disk, a folder, a limit: wherever it struck, it is no bug
        from collector.commands import complain

        complain(refused(error))
        return 1
    return 0
