"""The two streams: the artefact on one, the run on the other, colour and width as asked."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from slugcheck.errors import UsageError
from slugcheck.terminal import Terminal
from slugcheck.text import Inert

Capture = pytest.CaptureFixture[str]


class Tty(io.TextIOWrapper):
    """A stream that says it is a terminal, of any encoding."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        return True

    @property
    def written(self) -> bytes:
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


# --------------------------------------------------------------------------- what goes where


def test_the_artefact_goes_to_stdout_and_the_run_to_stderr(capsys: Capture) -> None:
    terminal = Terminal(verbose=True)
    terminal.artefact(Inert("table"))
    terminal.note("a note")
    terminal.detail("a detail")
    terminal.warning("careful", "look")
    terminal.error("wrong", "mend it")
    out, err = capsys.readouterr()
    assert out == "table\n"
    assert err == ("a note\na detail\nwarning: careful\nhint: look\nerror: wrong\nhint: mend it\n")


def test_quiet_silences_all_but_errors_and_the_artefact(capsys: Capture) -> None:
    terminal = Terminal(quiet=True, verbose=True)
    terminal.artefact(Inert("table\n"))
    terminal.note("a note")
    terminal.detail("a detail")
    terminal.warning("careful")
    terminal.error("wrong")
    assert capsys.readouterr() == ("table\n", "error: wrong\n")


def test_details_need_verbose(capsys: Capture) -> None:
    Terminal().detail("a detail")
    assert capsys.readouterr() == ("", "")


def test_an_error_of_many_lines_is_indented_and_harmless(capsys: Capture) -> None:
    Terminal().error("uv said:\n  \x1b[31mx no\n::error::x", "try\n::debug::y")
    assert capsys.readouterr().err == (
        "error: uv said:\n"
        "         \\x1b[31mx no\n"
        "       : :error::x\n"
        "hint: try\n"
        "      : :debug::y\n"
    )


def test_no_password_reaches_a_message(capsys: Capture) -> None:
    terminal = Terminal(verbose=True)
    for say in (terminal.note, terminal.detail, terminal.error, terminal.warning, terminal.trace):
        say("https://me:s3cret@host/x failed")
    assert "s3cret" not in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_what_a_stream_cannot_carry_is_written_as_an_escape(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Tty(encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    Terminal().artefact(Inert("寸法 \udc80"))
    assert stream.written == rb"\u5bf8\u6cd5 \udc80" + b"\n"


def test_a_reader_that_went_away_is_no_error() -> None:
    code = (
        "from slugcheck.terminal import Terminal\n"
        "for _ in range(20000): Terminal().artefact('x' * 50)\n"
        "raise SystemExit(7)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 7


# --------------------------------------------------------------------------- colour and width


@pytest.mark.parametrize(
    ("tty", "environment", "colored"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "0"}, False),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_colour_follows_the_stream_and_the_environment(
    tty: bool, environment: dict[str, str], colored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = Tty() if tty else io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    assert Terminal().color is colored


def test_each_stream_has_its_own_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    err = Tty()
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", err)
    Terminal().error("wrong")
    assert not Terminal().color
    assert err.written == b"\x1b[1;31merror:\x1b[0m wrong\n"


@pytest.mark.parametrize(
    ("columns", "width"),
    [("", 80), ("100", 100), ("72", 72), ("20", 60), ("500", 140), ("0", 80), ("x", 80), ("²", 80)],
)
def test_the_width_of_a_pipe_is_80_or_what_columns_says(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setenv("COLUMNS", columns)
    assert Terminal().width == width


@pytest.mark.parametrize(
    ("encoding", "able"), [("utf-8", True), ("ascii", False), ("latin-1", False), ("cp437", False)]
)
def test_unicode_follows_the_encoding(
    encoding: str, able: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", Tty(encoding))
    assert Terminal().unicode is able


# --------------------------------------------------------------------------- progress


def run_progress(terminal: Terminal) -> None:
    with terminal.status("resolving"):
        pass
    with terminal.progress("reading wheels") as bar:
        for done in range(1, 4):
            bar.update(done, 3)


def test_progress_is_drawn_on_a_terminal_and_leaves_nothing_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    err = Tty()
    monkeypatch.setattr(sys, "stderr", err)
    run_progress(Terminal())
    assert b"reading wheels" in err.written
    assert b"3/3" in err.written
    assert err.written.endswith(b"\x1b[2K")  # wiped away
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("quiet", "term", "tty"),
    [(True, "xterm", True), (False, "dumb", True), (False, "xterm", False)],
)
def test_progress_is_silent_elsewhere(
    quiet: bool, term: str, tty: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    stream = Tty() if tty else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    run_progress(Terminal(quiet=quiet))
    assert (stream.written if isinstance(stream, Tty) else stream.getvalue()) in (b"", "")


# --------------------------------------------------------------------------- files


def test_a_file_is_written_whole_and_said_so(tmp_path: Path, capsys: Capture) -> None:
    place = tmp_path / "report.json"
    Terminal().write_file(place, Inert("{}"))
    assert place.read_bytes() == b"{}\n"
    assert list(tmp_path.iterdir()) == [place]
    assert capsys.readouterr() == ("", f"wrote {place}\n")


def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")
    Terminal().write_file(tmp_path / "report.json", Inert("{}"))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_an_old_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to(real)
    Terminal().write_file(link, Inert("new"))
    assert link.is_symlink()
    assert real.read_text() == "new\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that git would take for a checkout, as the current one."""
    place = tmp_path / "checkout"
    (place / ".git" / "hooks").mkdir(parents=True)
    (place / ".git" / "config").write_text("[core]\n")
    monkeypatch.chdir(place)
    return place


@pytest.mark.parametrize(
    ("link", "to", "asked"),
    [
        ("report.md", "../outside.md", "report.md"),
        ("report.md", "../not-there-yet.md", "report.md"),
        ("out", "..", "out/outside.md"),
        ("report.md", ".git/config", "report.md"),
        ("out", ".git/hooks", "out/post-checkout"),
    ],
)
def test_a_link_of_the_checkout_leads_no_file_out_of_it(
    checkout: Path, tmp_path: Path, link: str, to: str, asked: str
) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("kept")
    (checkout / link).symlink_to(to)
    for path in (Path(asked), checkout / asked):
        with pytest.raises(UsageError, match="leads out of the checkout through a link"):
            Terminal().write_file(path, Inert("new"))
    assert outside.read_text() == "kept"
    assert (checkout / ".git" / "config").read_text() == "[core]\n"
    assert not (tmp_path / "not-there-yet.md").exists()
    assert list((checkout / ".git" / "hooks").iterdir()) == []


def test_links_inside_the_checkout_and_places_outside_are_the_users_own(
    checkout: Path, tmp_path: Path
) -> None:
    (checkout / "reports").mkdir()
    (checkout / "latest").symlink_to("reports")
    Terminal().write_file(Path("latest/a.md"), Inert("inside"))
    Terminal().write_file(Path("../b.md"), Inert("outside"))
    (tmp_path / "link.md").symlink_to(tmp_path / "b.md")
    Terminal().write_file(tmp_path / "link.md", Inert("through a link outside"))
    assert (checkout / "reports" / "a.md").read_text() == "inside\n"
    assert (tmp_path / "b.md").read_text() == "through a link outside\n"


def test_a_summary_that_would_be_dropped_is_not_added_to(tmp_path: Path, capsys: Capture) -> None:
    summary = tmp_path / "summary.md"
    Terminal().append_file(summary, Inert("é" * 500_000))
    size = summary.stat().st_size
    Terminal().append_file(summary, Inert("é" * 50_000))
    assert summary.stat().st_size == size
    assert "the job summary is full" in capsys.readouterr().err


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "report.json"
    place.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        Terminal().write_file(place, Inert("whole\nor not\udc80 at all"))
    assert place.read_text() == "old"
    assert list(tmp_path.iterdir()) == [place]


def test_a_device_is_written_to_and_not_replaced() -> None:
    device = Path(os.devnull)
    before = device.stat()
    Terminal().write_file(device, Inert("gone"))
    assert stat.S_ISCHR(device.stat().st_mode)
    assert device.stat().st_ino == before.st_ino


@pytest.mark.parametrize("place", ["no/such/folder/report.json", "."])
def test_a_place_that_cannot_be_written_is_named(place: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written") as caught:
        Terminal().write_file(tmp_path / place, Inert("{}"))
    assert caught.value.hint == "choose another place with --output"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("slugcheck che", "plain,check\n"),
        ("slugcheck check --fail", "plain,--fail-on\n"),
        ("slugcheck requirements.txt --fail", "plain,--fail-on\n"),
        ("slugcheck requ", "file,requ\n"),  # the shell completes a file's name
    ],
)
def test_the_shell_completes_commands_options_and_files(words: str, expected: str) -> None:
    more = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", "from slugcheck.cli import main; main()"], capture_output=True,
        text=True, check=False, env={**os.environ, **more, "_SLUGCHECK_COMPLETE": "bash_complete"},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")
