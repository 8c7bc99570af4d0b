"""The command line: parses, calls one function, prints. Results go to standard output, messages and progress to standard error.

Exit codes: 0 success; 1 the question has no certified answer; 2 the user's mistake; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

# Our own threads go over variants; numpy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from sim.cli import answers, attribute, beliefs, files, fit, graph, inside, learn, robust, sensitivity, study, threshold
from sim.cli.common import print_line, say
from sim.errors import NoAnswerError, SimError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["app", "main"]

app = typer.Typer(
    name="sim",
    help="Turn an argument about a crisis into a game, solve it, and say for which assumptions it holds.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
INTERRUPTED = 130
STOPPED = "interrupted; nothing was left half written"

for _part in (files, answers, attribute, beliefs, fit, inside, graph, learn, robust, sensitivity, study, threshold):
    _part.register(app)


def _version(*, wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        from importlib.metadata import version

        print_line(f"sim {version('escalation-sim')}")
        raise typer.Exit


@app.callback()
def common(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda wanted: _version(wanted=wanted), is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Turn an argument about a crisis into a game, solve it, and say for which assumptions it holds."""


def _guarded(call: Callable[[], Any]) -> int:
    """Run the command line and turn its endings into exit codes."""
    usage: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
    try:
        result = call()
        sys.stdout.flush()
    except (SimError, NoAnswerError) as error:
        say(str(error))
        return error.exit_code
    except typer.Exit as error:
        return error.exit_code
    except usage as error:
        shown: Any = error
        shown.show()
        return int(shown.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        say(STOPPED)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a folder that does not exist, a full disk, no permission
        say(
            f"{error.filename or 'output'} cannot be written ({(error.strerror or str(error)).lower()}); choose another place"
        )
        return 2
    if result == INTERRUPTED:  # some versions of typer turn Ctrl-C into a return value
        say(STOPPED)
    return result if isinstance(result, int) else 0


def main() -> None:
    """Run ``sim``."""
    sys.exit(_guarded(lambda: app(standalone_mode=False)))
