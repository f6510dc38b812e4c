"""`plt completion`: what makes a shell complete commands, options and columns."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from plt.cli import options


@click.command(
    "completion",
    short_help="Print what makes a shell complete.",
    epilog=options.example('eval "$(plt completion bash)"    # in ~/.bashrc; zsh in ~/.zshrc',
                           "plt completion fish > ~/.config/fish/completions/plt.fish"),
)  # fmt: skip
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the lines that let a shell complete what is typed."""
    from plt.cli.run import app  # noqa: PLC0415  which imports the commands

    found = get_completion_class(shell)
    assert found is not None
    print(found(app, {}, "plt", "_PLT_COMPLETE").source())
    return 0
