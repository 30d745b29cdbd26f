"""The command line: entry point, error messages and exit codes.

Exit codes: 0 every budget holds; 1 a budget is exceeded, or the build or boot will fail; 2 usage or
configuration; 3 could not measure; 130 interrupted, 143 terminated. Python and click would use 1
for crashes and for Ctrl-C, so every exception is converted here. Slow imports happen only after the
signal handlers are installed.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from slugcheck.running import ending

if TYPE_CHECKING:
    from slugcheck.terminal import Terminal

_COMPLETION = "_SLUGCHECK_COMPLETE"  # set by the shell while it completes a command line
_USAGE = 2
_INTERRUPTED = 130
_UNEXPECTED = 3
_QUOTED = 60  # characters of a name that is too long


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with slugcheck's own codes."""
    code = _UNEXPECTED
    try:
        ending.open_streams()
        ending.listen()
        # records hold each other in no circles, and looking for these takes an eighth of the time
        gc.set_threshold(50_000)
        _make_libraries_safe()
        code = run(arguments)
    finally:
        # Python would turn any exception that gets here into exit code 1
        ending.leave(code)
        os._exit(code)


def _make_libraries_safe() -> None:
    """Send log records and warnings of libraries, which may quote servers, to the terminal."""
    import logging  # 5 ms, which tests and --help of a library's user need not wait for

    from slugcheck.terminal import Terminal

    class TerminalHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            Terminal().warning(record.getMessage())

    # retries are no news: what fails in the end is reported with its reason
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    logging.getLogger().addHandler(TerminalHandler(logging.WARNING))
    logging.captureWarnings(capture=True)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    try:
        from slugcheck.terminal import Terminal

        return _run(arguments, Terminal())
    except KeyboardInterrupt:
        ending.last_words("interrupted")
        return _INTERRUPTED
    except MemoryError:
        ending.last_words("out of memory")
        return _UNEXPECTED
    except SystemExit as leaving:
        if _COMPLETION in os.environ:  # click ends the process itself after a shell completion
            return _USAGE if leaving.code else 0
        ending.last_words("bug in slugcheck: SystemExit")
        return _UNEXPECTED
    except BaseException as error:
        ending.last_words(f"bug in slugcheck: {type(error).__name__}")
        return _UNEXPECTED


def _run(arguments: Sequence[str] | None, terminal: Terminal) -> int:
    import click

    from slugcheck.commands.group import cli
    from slugcheck.errors import SlugcheckError
    from slugcheck.running import deadline

    try:
        result = cli.main(
            None if arguments is None else list(arguments),
            prog_name="slugcheck",
            standalone_mode=False,
        )
    except SlugcheckError as error:
        terminal.error(str(error), error.hint)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        from slugcheck.text import inert

        terminal.artefact(inert(error.ctx.get_help(), "table"))
        return _USAGE
    except click.UsageError as error:
        where = f"; see {error.ctx.command_path} --help" if error.ctx else ""
        # click repeats arguments as they were given
        from slugcheck.text import shown_value

        message = error.format_message().rstrip(".")
        for argument in sys.argv[1:] if arguments is None else arguments:
            if len(argument) > 1:
                message = message.replace(argument, shown_value(argument))
        terminal.error(message + where, None)
        return _USAGE
    except click.Abort:
        terminal.error("interrupted", None)
        return _INTERRUPTED
    except MemoryError:
        raise
    except SystemExit as error:
        if _COMPLETION not in os.environ:
            raise
        return error.code if isinstance(error.code, int) else 0  # click's shell completion is done
    except Exception as error:
        import traceback

        if isinstance(error, OSError) and _is_of_click(error):
            terminal.error(f"cannot write the output: {error.strerror or error}", None)
            return _UNEXPECTED
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            name = str(error.filename)[:_QUOTED]
            terminal.error(f"file name too long: {name}…", None)
            return _USAGE
        terminal.error("bug in slugcheck; please report it with the lines below", None)
        terminal.trace(traceback.format_exc())
        return _UNEXPECTED
    finally:
        deadline.stop()
    return result if isinstance(result, int) else 0


def _is_of_click(error: OSError) -> bool:
    """Whether click itself could not write, such as --help to a full disk."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == "click.utils"
