"""Whatever a pull request writes into its files, no output does more than show it.

Real runs of the command line on real projects; every field that a stranger can fill holds commands
of all CI systems, escape sequences, and the markup of GitHub.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import xmlschema

from slugcheck.model import Report, Verdict
from slugcheck.render import markdown
from slugcheck.render.views.check import view
from slugcheck.text import inert, printable
from tests.support import cases, github_markdown, reports, stock
from tests.support.ci import commands
from tests.support.commands import slugcheck
from tests.support.server import PackageServer

DATA = Path(__file__).parent.parent / "data"
# One text with the commands of every CI system at the starts of lines and inside of them.
COMMANDS = (
    "pwned ##[error]pwned ##vso[task.setvariable variable=x]pwned ##teamcity[message text='pwned']"
    " travis_fold:start:pwned [[ATTACHMENT|/etc/passwd]] \u202epwned\u2066 a\u200bb"
    " #\u200d#[error]x"
    "\n::error::pwned\n \t::set-env name=PATH::pwned\n::add-mask::e\n\xa0::stop-commands::pwned"
    "\n\u200d::warning::pwned\n--- pwned\n+++ pwned\n~~~ pwned\n^^^ +++\n##[group]pwned"
    "\nsection_start:1:pwned travis_time:start:pwned"
)
CONTROLS = (
    "\r::error::pwned\r\x1b[0Ksection_start:1:pwned\r\x1b[0K\x1b]0;pwned\x07\x1b[2J\x1b[31mpwned"
    "\x1b]8;;http://pwned.example\x1b\\\x9b31m\u2028::error::pwned\x7f\x08"
)
MARKUP = (
    "@pwned see #1 GH-2 o/r#3 www.pwned.example https://pwned.example mailto:a@pwned.example "
    "a@pwned.example [pwned](https://pwned.example) ![pwned](x.png) <img src=x> "
    "<script>pwned</script> </details> <!-- slugcheck comment: report --> <!-- Sticky --> | pwned "
    "| $pwned$ $$pwned$$ :+1: :pwned: [^1] deadbeef12 1234abc **pwned** ~~pwned~~ __pwned__ "
    "`pwned` ``` ```mermaid \\| \\"
)
STARTS = ("# pwned", "- [ ] pwned", "> [!NOTE] pwned", "1. pwned", "===", "```pwned", "~~~pwned",
          "    pwned", "| a |", "[^1]: pwned", "/pwned")  # fmt: skip
EVIL = f"{COMMANDS} {MARKUP}"
# what TOML takes in a basic string, controls as escapes
IN_TOML = json.dumps(EVIL + CONTROLS.replace("\x7f", ""))
# what a file's name can hold, below 255 bytes each
NAMES = (
    "::error::pwned ##[error]pwned ##vso[x]", "--- pwned\n::error::pwned\n--- x",
    "\x1b[2J\x1b]0;x\x07",
    "\u202epwned\u200b\r::error::x", "@pwned #1 www.pwned.example $x$ :+1:", "`|<img src=x>|`",
    "<!-- slugcheck comment: report -->", "<!-- slugcheck comment", "travis_fold:start:x",
    "[[ATTACHMENT|x]]", "```mermaid\ngraph",
)  # fmt: skip
FORMS = {"table": "t", "json": "j", "markdown": "m", "github": "g", "junit": "u", "sarif": "s"}


@pytest.fixture
def index(package_server: PackageServer, private_caches: Path) -> PackageServer:
    return stock.fill(package_server)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that says EVIL wherever a project can say something."""
    folder = tmp_path / "##[group]<b>`|@pwned --- x"
    lines = ["light", "heavy ; python_version > '3'", *(f"./{name!r}.whl" for name in NAMES[:1]),
             "./::error::##[error]pwned-1-py3-none-any.whl",
             "git+https://u:s3cret@127.0.0.1:9/a.git@::error::##vso[x]#egg=tool",
             "odd @ https://me:s3cret@127.0.0.1:9/##[error]@pwned-1-py3-none-any.whl"]  # fmt: skip
    write(folder, "requirements.txt", "\n".join(lines))
    write(folder, "Procfile", f"web: gunicorn app\n{MARKUP}\n##[error]pwned\n::error::pwned x\n")
    settings = (
        f'python = "3.12"\n[budgets]\nslug = {{ limit = "1M", message = {IN_TOML} }}\n'
        f'"package.light" = {{ limit = "1KB", message = {IN_TOML} }}\n'
        f"[deny]\nheavy = {IN_TOML}\n[[ignore]]\ncode = {IN_TOML}\nreason = {IN_TOML}\n"
        f'expires = 2999-01-01\n[[ignore]]\ncode = "development-tools"\nsubject = {IN_TOML}\n'
        f"reason = {IN_TOML}\nexpires = 2001-01-01\n"
    )
    write(folder, "slugcheck.toml", settings)
    for name in NAMES:
        write(folder, f"static/{name}/{name}.txt", "x" * 70_000)
        write(folder, f"models/{name}.onnx", "x" * 90_000)
    return folder


def check_forms(folder: Path, index: PackageServer, place: Path, *more: str) -> dict[str, str]:
    """Return a check in every form, and what it said, by the form's name; "stderr" besides."""
    files = [part for form in FORMS for part in ("-o", f"{form}={place / FORMS[form]}")]
    done = slugcheck(folder, "--index-url", index.index_url, *more, *files, "--verbose")
    assert done.code in (1, 3), done.err
    assert (place / "t").exists(), done.err
    found = {form: (place / FORMS[form]).read_text(encoding="utf-8") for form in FORMS}
    return found | {"stderr": done.err, "stdout": done.out}


# --------------------------------------------------------------------------- check


def test_a_project_that_says_commands_everywhere_gives_none(
    project: Path, index: PackageServer, tmp_path: Path
) -> None:
    found = check_forms(project, index, tmp_path)
    assert "pwned" in found["table"]
    for form, text in found.items():
        assert "s3cret" not in text, form
        assert obeyed(text, form) == [], form
    harmless_markdown(found["markdown"])
    document = json.loads(found["json"])
    sentences = [one["sentence"] for one in document["verdicts"]]
    assert any(EVIL in sentence for sentence in sentences)  # to the letter
    assert sarif_is_valid(found["sarif"])
    xmlschema.XMLSchema(str(DATA / "junit-10.xsd")).validate(found["junit"])
    assert "[[ATTACHMENT" not in "".join(ET.fromstring(found["junit"]).itertext())
    assert "[[ATTACHMENT" not in found["junit"]


def obeyed(text: str, form: str) -> list[str]:
    """Return what a CI system would do, less the annotations that GitHub is meant to make."""
    found = commands(text, attachments=form == "junit")
    if form == "github":
        own = re.compile(r"::(?:error|warning|notice) (?:file=[^:,]+,line=\d+,)?title=[^:,]*::")
        found = [
            line
            for line in found
            if not own.match(line) or commands(f"x{line}")  # what stands inside of one
        ]
    return found


def harmless_markdown(text: str) -> None:
    assert github_markdown.acting(text) == []
    assert github_markdown.comments(text) <= {"<!-- -->"}
    assert github_markdown.broken(text) == []


def sarif_is_valid(text: str) -> bool:
    schema = json.loads((DATA / "sarif-2.1.0.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))
    return True


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=n", "-c", "user.email=n@example.org")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_name_of_a_branch_is_a_name(
    index: PackageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "app"
    write(folder, "requirements.txt", "light\n")
    branch = "##vso]`|<img>@pwned#1$x$\u202e\u200b--;travis_fold!<!--pwned-->&amp;{x}"
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "x")
    git(folder, "branch", branch)
    write(folder, "requirements.txt", "light\nheavy\n")
    more = ("--python", "3.12", "--limit", "slug=1M", "--against", branch)
    found = check_forms(folder, index, tmp_path, *more)
    assert "pwned" in found["markdown"]
    for form, text in found.items():
        assert obeyed(text, form) == [], form
    harmless_markdown(found["markdown"])
    assert printable(branch) in texts(json.loads(found["json"]))


# --------------------------------------------------------------------------- other commands


def test_labels_and_names_of_other_commands_are_text(index: PackageServer, tmp_path: Path) -> None:
    a = write(tmp_path, "::error::a ##[error]@pwned.txt", "light\n")
    b = write(tmp_path, "--- b\n::error::b|`<img>.txt", "light\nheavy\n")
    common = ("--index-url", index.index_url, "--python", "3.12")
    for name in ("table", "json", "markdown"):
        compared = slugcheck(
            "compare", a, b, *common, "--format", name, "--label", EVIL + CONTROLS, "--label", "b"
        )
        assert compared.code == 0, compared.err
        asked = slugcheck("why", "tensors", b, *common, "--format", name)
        assert asked.code == 0, asked.err
        for done in (compared, asked):
            assert obeyed(done.out, name) + obeyed(done.err, "stderr") == []
            if name == "markdown":
                harmless_markdown(done.out)
        if name == "json":
            assert EVIL + CONTROLS in texts(compared.document)  # to the letter


def texts(value: Any) -> Iterator[str]:
    """Every text in a document, keys among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


ERRORS = {
    "name of nothing": ("why", EVIL, "{file}"),
    "platform": ("--platform", EVIL + CONTROLS.replace("\0", ""), "{file}"),
    "platforms": ("platforms", EVIL),
    "limit": ("{file}", "--limit", f"slug={EVIL}"),
    "unknown limit": ("{file}", "--limit", f"{EVIL}=1M"),
    "path": (EVIL.replace("/", "_")[:200],),
    "base": ("{file}", "--against", EVIL),
    "python": ("{file}", "--python", EVIL),
    "command": ("{file}", f"--{EVIL}"),
    "model": ("{file}", "--model", EVIL),
    "output": ("{file}", "-o", f"{EVIL}/x"),
    "settings": ("{file}", "--config", "{settings}"),
    "toml": ("{file}", "--config", "{toml}"),
    "line": ("{bad}",),
    "index": ("{file}", "--index-url", f"http://127.0.0.1:9/{EVIL}"),
    "comment": ("comment", EVIL.replace("/", "_")[:200]),
    "key": ("comment", "{file}", "--key", EVIL),
    "bench": ("bench", "--onnx", EVIL.replace("/", "_")[:200]),
    "compare": ("compare", "{file}", EVIL.replace("/", "_")[:200]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_quotes_without_obeying(name: str, index: PackageServer, tmp_path: Path) -> None:
    places = {
        "{file}": write(tmp_path, "requirements.txt", "light\n"),
        "{settings}": write(tmp_path, "s.toml", f"{IN_TOML} = 1\n[budgets]\n{IN_TOML} = true\n"),
        "{toml}": write(tmp_path, "t.toml", f"a = 1\n{EVIL}\n"),
        "{bad}": write(tmp_path, "bad.txt", f"light\n{EVIL}\n"),
    }
    asked = [str(places.get(one, one)) for one in ERRORS[name]]
    if "--index-url" not in asked and asked[0] not in ("platforms", "comment", "bench"):
        asked += ["--index-url", index.index_url]
    done = slugcheck(*asked)
    assert done.code in (2, 3), done.out
    assert "Traceback" not in done.err
    assert done.out == ""
    assert obeyed(done.err, "stderr") == []


def test_what_libraries_log_and_warn_of_is_text() -> None:
    code = (
        "import sys\nfrom slugcheck import cli\n"
        "def run(_):\n"
        "    import logging, warnings\n"
        f"    logging.getLogger('filelock').warning('of %s', {COMMANDS + CONTROLS!r})\n"
        f"    warnings.warn({COMMANDS!r})\n"
        "    return 0\n"
        "cli.run = run\ncli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.count("warning: ") >= 2
    assert commands(done.stderr) == []


# --------------------------------------------------------------------------- length


LONG = 100_000  # characters


WIDE = EVIL * (LONG // len(EVIL))


def with_verdicts(*more: Verdict, sentence: str = EVIL) -> Report:
    cuda = cases.cuda()
    own = [replace(one, sentence=f"{one.sentence} {sentence}") for one in cuda.verdicts]
    return replace(cuda, verdicts=(*more, *own))


def budgets(count: int, of: Report, sentence: str) -> tuple[Verdict, ...]:
    first = replace(of.verdicts[0], sentence=sentence)
    return tuple(replace(first, budget=f"package.x{n}") for n in range(count))


def fixes() -> Report:
    cuda = cases.cuda()
    found = (replace(one, fix=f"```\n{EVIL}\n" * 100) for one in cuda.findings)
    return replace(cuda, findings=tuple(found))


def unsized() -> Report:
    source = cases.source()
    found = tuple(reports.missing(f"x{n}", "1", EVIL, n) for n in range(500))
    return replace(source, sizes=replace(source.sizes, unsized=found))


# Reports of which some part is longer than a comment can be.
SWOLLEN: dict[str, Callable[[], Report]] = {
    "messages": lambda: with_verdicts(sentence=WIDE),
    "budgets": lambda: with_verdicts(*budgets(300, cases.cuda(), EVIL)),
    "passing budgets": lambda: with_verdicts(*budgets(2_000, cases.onnx(), "within")),
    "notes": lambda: replace(cases.cuda(), notes=tuple(f"{n} {EVIL}" for n in range(300))),
    "note": lambda: replace(cases.cuda(), notes=(WIDE,)),
    "findings": lambda: replace(cases.cuda(), findings=cases.cuda().findings * 200),
    "fix": fixes,
    "names": lambda: reports.report(
        [reports.distribution(f"{n}{WIDE}", required_by=(WIDE,)) for n in range(3)]
    ),
    "path": lambda: replace(cases.cuda(), path=WIDE),
    "unsized": unsized,
    "hostile": lambda: replace(cases.hostile(), notes=cases.hostile().notes * 2_000),
    "emoji": lambda: replace(cases.cuda(), notes=("\U0001f600" * 59_000,)),
    "crowd": lambda: cases.crowd(1_000),
}


@pytest.mark.parametrize("name", SWOLLEN)
def test_markdown_is_bounded_and_whole_and_begins_with_the_verdict(name: str) -> None:
    report = SWOLLEN[name]()
    text = markdown.write(view(report))
    assert len(text.encode("utf-16-le")) // 2 <= 65_536 - 200
    marks = {"unsized": "❔", "hostile": "❔", "names": "✅", "crowd": "✅"}
    assert text.startswith(f"## {marks.get(name, '❌')} ")
    head, _, rest = text.partition("| budget | verdict |  |\n")
    assert head.count("\n") < 6
    rows = rest.split("\n\n")[0].splitlines()[1:]
    if name in ("messages", "budgets", "passing budgets"):
        assert "❌ FAIL" in rows[0] + rows[1]  # what fails is not what is cut off
    assert "*Shortened" in text
    assert github_markdown.broken(text) == []
    if name not in ("findings", "hostile"):
        harmless_markdown(text)
    assert inert(text, "markdown") == text


def test_a_summary_has_more_room_and_is_bounded_too() -> None:
    report = cases.crowd(1_000)
    shown = markdown.write(view(report), most=markdown.MOST_OF_SUMMARY)
    assert len(markdown.write(view(report))) < len(shown)
    assert len(shown.encode()) <= 2**20


def test_markdown_of_other_commands_is_bounded(index: PackageServer, tmp_path: Path) -> None:
    lines = "".join(f"light ; python_version > '2.{n}'\n" for n in range(400))
    a = write(tmp_path, "a.txt", "light\n")
    b = write(tmp_path, "b.txt", lines)
    done = slugcheck(
        "compare", a, b, "--index-url", index.index_url, "--python", "3.12", "--format", "markdown",
        "--label", "a" * 70_000, "--label", EVIL,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert len(done.out) <= 65_536
    assert done.out.startswith("## ")
    harmless_markdown(done.out)


def test_the_start_of_a_line_is_no_start_of_a_block() -> None:
    for start in STARTS:
        report = replace(cases.onnx(), notes=(start,), path=start)
        found = github_markdown.acting(markdown.write(view(report)))
        assert found == [], start
