"""The command `rnnkit`: a verb reads its arguments and calls a function of flows or rnnkit.

Heavy imports stand inside the verbs, so that help and refusals are instant.

Exit status: 0 done, 1 the run failed, 2 bad input, 75 another process is running this run,
130 and 143 interrupted, 143 by SIGTERM or a closed terminal: the same command goes on where it
stopped.
"""

import contextlib
import signal
import sys
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from flows.cli import (
    backtest,
    check,
    claims,
    compare,
    datasets,
    diagnose,
    forecast,
    inference,
    lr,
    new,
    run,
    runs,
    schedule,
    tracking,
)
from flows.cli.options import BAD_INPUT, INTERRUPTED, TERMINATED
from flows.cli.standard_output import drop_unwritten, settle_standard_output
from flows.launcher import FAILED, Failure
from flows.processes.lost_exceptions import resending, unwrapping
from flows.processes.notes import print_notes_as_lines
from flows.processes.terminal import leave_terminal
from rnnkit.errors import InputError, as_message
from rnnkit.runtime.disk import disk_error
from rnnkit.runtime.process_settings import collect_garbage_rarely
from rnnkit.runtime.secrets import without_secrets

STOPPED = "interrupted; the same command goes on where it stopped"

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)


def _version(wanted: bool) -> None:
    if wanted:
        from rnnkit import __version__

        print(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Experiments with recurrent neural networks: one params file is one experiment."""


VERBS = (
    new.new,
    run.run,
    run.tune,
    run.resume,
    compare.compare,
    check.check,
    lr.lr,
    runs.runs,
    backtest.backtest,
    claims.claims,
    inference.evaluate,
    inference.predict,
    forecast.forecast,
    inference.generate,
    diagnose.diagnose,
    tracking.register,
    schedule.schedule,
    tracking.sync,
    runs.clean,
    tracking.up,
    new.schema,
)
"""In the order of the help."""

for verb in VERBS:
    app.command()(verb)
data_app = typer.Typer(rich_markup_mode=None, help="Data sets.")
data_app.command("list")(datasets.data_list)
data_app.command("fetch")(datasets.data_fetch)
app.add_typer(data_app, name="data")


def main() -> None:
    """The entry point: what went wrong becomes one line and an exit status."""
    collect_garbage_rarely()
    settle_standard_output()
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, _hang_up)
    print_notes_as_lines()
    with resending():  # not while cleaning up at the end, which would be interrupted ever again
        _main()


def _main() -> None:
    try:
        with unwrapping():
            status = app(sys.argv[1:] or ["--help"], standalone_mode=False)
        if status == INTERRUPTED:  # typer catches Ctrl-C and returns this in its place
            raise KeyboardInterrupt
        sys.stdout.flush()
    except InputError as error:
        _end(BAD_INPUT, str(error))
    except TyperException as error:  # a verb or an option that is not there
        _end(
            BAD_INPUT,
            f"{error.format_message().rstrip('.')}; rnnkit --help lists verbs and options",
        )
    except Failure as error:
        _end(error.status, str(error))
    except KeyboardInterrupt:
        _end(INTERRUPTED, STOPPED)
    except SystemExit as end:
        if end.code == TERMINATED:
            _end(TERMINATED, STOPPED)
        raise
    except BrokenPipeError:  # what reads the output has ended, as head does
        drop_unwritten()
        raise SystemExit(FAILED) from None
    except Exception as error:
        if (cause := disk_error(error, "the disk")) is None:
            raise
        _end(BAD_INPUT, str(cause))


def _end(status: int, message: str) -> NoReturn:
    """Print a message and end the process."""
    drop_unwritten()
    with contextlib.suppress(OSError):
        print(f"rnnkit: {as_message(without_secrets(message))}", file=sys.stderr)
    raise SystemExit(status)


def _terminate(*_: object) -> NoReturn:
    raise SystemExit(TERMINATED)


def _hang_up(*_: object) -> NoReturn:
    leave_terminal()
    _terminate()
