"""From arguments to an exit code: the commands, and what becomes of errors."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence

import click
from click.shell_completion import shell_complete

import plt
from plt._near import near_names
from plt.cli.words import Failure, complain, one_line

COMMANDS = (
    "info", "packets", "flows", "streams", "dns", "rates", "convert", "split", "merge", "cut",
    "anon", "fields", "completion",
)  # fmt: skip
INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended


class Commands(click.Group):
    """The commands by name; one is imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's own
        """The names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"plt.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; a usage error, with a near one, for none."""
        near = near_names(args[0], COMMANDS)
        if args[0] in COMMANDS or args[0].startswith("-") or not near:
            return super().resolve_command(ctx, args)
        raise click.UsageError(f"No such command {args[0]!r}. Did you mean {near[0]!r}?", ctx)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(plt.__version__, prog_name="plt", message="%(prog)s %(version)s")
def app() -> None:
    """Look at packet traces: pcap, pcapng, ERF and older formats, compressed or not.

    A source is a path, a URI of libtrace (pcapint:eth0 is live), or - for standard input. Tables
    are shown on a terminal and printed as tab-separated text into a pipe or a file.

    \b
    plt info trace.pcap.gz
    plt flows --filter 'tcp port 443' --limit 10 trace.pcap.gz
    plt packets --fields time,src,wire_len trace.pcap.gz | head
    """


def run(arguments: Sequence[str]) -> int:
    """Run a command; its exit code. What goes wrong is said in one line on standard error."""
    if instruction := os.environ.get("_PLT_COMPLETE"):
        return shell_complete(app, {}, "plt", "_PLT_COMPLETE", instruction)
    try:
        if sys.stdout is None:
            raise Failure("standard output is closed")
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="surrogateescape")  # names of files may be any bytes
        # not app.main(), which has ideas of its own of broken pipes and Ctrl-C
        with app.make_context("plt", list(arguments)) as context:
            code = app.invoke(context)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as error:
        sys.stdout.flush()
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.UsageError as error:
        # an option without its value has no context
        begun = [word for word in arguments[:1] if word in COMMANDS and not error.ctx]
        name = error.ctx.command_path if error.ctx else " ".join(["plt", *begun])
        complain(f"{error.format_message()} ({name} --help says more)", name)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return by_sigpipe()
    except (Failure, plt.LibtraceError, OSError, ValueError, OverflowError) as error:
        # files that are written are named where they are written
        nameless = isinstance(error, OSError) and not error.filename
        complain(f"standard output: {one_line(error)}" if nameless else error)
        forget_standard_output()
        return 1


def by_sigpipe() -> int:
    """End as a program ends whose output is no longer read: silently, by SIGPIPE."""
    forget_standard_output()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGPIPE)
    return 1  # where SIGPIPE is blocked


def forget_standard_output() -> None:
    """Let what can't be written be, which Python would try, and complain of, at its end."""
    if sys.stdout is None:
        return
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        return
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
