"""The forms for CI systems: valid by their schemas, on the right lines, harmless in every one."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import xmlschema

from slugcheck.errors import UsageError
from slugcheck.render import markdown
from slugcheck.render.formats import CHECK_FORMATS, Look, Output, outputs, render_report
from slugcheck.render.place import Place
from slugcheck.render.views.check import view
from slugcheck.text import Inert, inert
from tests.support import cases, stock
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer

Write = Callable[..., Path]
DATA = Path(__file__).parent / "data"
LOOK = Look(
    width=100, color=False, unicode=True, all_rows=True, place=Place(cwd="/repo", root="/repo")
)


@pytest.fixture
def index(package_server: PackageServer, private_caches: Path) -> PackageServer:
    return stock.fill(package_server)


def check(index: PackageServer, path: Path, *more: object) -> Done:
    return slugcheck(path, "--index-url", index.index_url, "--python", "3.12", *more)


# --------------------------------------------------------------------------- which goes where


@pytest.mark.parametrize(
    ("format_", "files", "expected"),
    [
        (None, (), [("table", None)]),
        ("json", (), [("json", None)]),
        (None, ("r.json", "c.md"), [("table", None), ("json", "r.json"), ("markdown", "c.md")]),
        ("json", ("r.json",), [("json", "r.json")]),
        ("json", ("out",), [("json", "out")]),
        (None, ("sarif=out.txt", "j.xml"), [("table", None), ("sarif", "out.txt"),
                                            ("junit", "j.xml")]),
        ("github", ("s.sarif",), [("github", None), ("sarif", "s.sarif")]),
        (None, ("./a=b.json",), [("table", None), ("json", "a=b.json")]),
        (None, ("r.txt",), [("table", "r.txt")]),
        (None, ("out",), [("table", "out")]),
        ("markdown", ("r.xyz",), [("markdown", "r.xyz")]),
    ],
)  # fmt: skip
def test_each_file_gets_the_form_that_it_is_named_for(
    format_: str | None, files: tuple[str, ...], expected: list[tuple[str, str | None]]
) -> None:
    wanted = [Output(format=name, path=Path(path) if path else None) for name, path in expected]
    assert list(outputs(format_, files, CHECK_FORMATS)) == wanted


@pytest.mark.parametrize("files", [("a.json", "a.json"), ("json=",)])
def test_outputs_that_cannot_be_are_refused(files: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        outputs(None, files, CHECK_FORMATS)


def test_an_unknown_suffix_or_format_lists_those_there_are(requirements: Write) -> None:
    path = requirements("light\n")
    suffix = slugcheck(path, "-o", "report.xyz")
    assert (suffix.code, suffix.out) == (2, "")
    assert "--output report.xyz: no format has the suffix .xyz" in suffix.err
    assert ".json (json), .md (markdown), .sarif (sarif), .xml (junit)" in suffix.err
    name = slugcheck(path, "-o", "pdf=report.txt")
    assert (name.code, name.out) == (2, "")
    assert "unknown format pdf" in name.err
    assert "the formats are table, markdown, json, github, junit, sarif" in name.err
    # compare knows fewer
    compared = slugcheck("compare", path, path, "-o", "r.sarif")
    assert compared.code == 2
    assert "(json), .md (markdown), or name" in compared.err


def test_quiet_prints_the_verdict_alone(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    path = requirements("light\n")
    done = check(index, path, "-q", "-o", tmp_path / "r.txt", "-o", tmp_path / "r.json")
    assert (done.code, done.out) == (0, "")  # the table went to the file
    assert len((tmp_path / "r.txt").read_text().splitlines()) > 5
    done = check(index, path, "-q", "--limit", "slug=1B")
    assert done.code == 1
    assert (done.out.count("\n"), done.err) == (1, "")
    assert "slug" in done.out
    assert check(index, path, "-q", "--format", "json").document["schema"] == 1


def test_several_forms_at_once(index: PackageServer, requirements: Write, tmp_path: Path) -> None:
    names = ("r.json", "c.md", "s.sarif", "j.xml")
    files = [part for name in names for part in ("-o", tmp_path / name)]
    done = check(index, requirements("light\n"), *files, "-q")
    assert done.code == 0
    assert "FITS Heroku" in done.out
    assert json.loads((tmp_path / "r.json").read_text())["schema"] == 1
    assert (tmp_path / "c.md").read_text().startswith("## ✅ FITS Heroku")


# --------------------------------------------------------------------------- schemas


@pytest.mark.parametrize("name", sorted(cases.CASES))
def test_sarif_is_valid_by_its_schema(name: str) -> None:
    schema = json.loads((DATA / "sarif-2.1.0.json").read_text())
    document = json.loads(render_report("sarif", cases.CASES[name](), LOOK))
    jsonschema.Draft202012Validator(schema).validate(document)
    (run,) = document["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} == rules


@pytest.mark.parametrize("name", sorted(cases.CASES))
def test_junit_is_valid_by_its_schema(name: str) -> None:
    text = render_report("junit", cases.CASES[name](), LOOK)
    xmlschema.XMLSchema(str(DATA / "junit-10.xsd")).validate(text)
    root = ET.fromstring(text)
    suite = root[0]
    found = suite.findall("testcase")
    assert suite.get("tests") == str(len(found))
    for kind, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        count = sum(case.find(kind) is not None for case in found)
        assert suite.get(attribute) == str(count)


# --------------------------------------------------------------------------- the right lines

_ANNOTATION = re.compile(r"^::(error|warning|notice) (?:file=([^,]*),line=(\d+),)?title=([^:]*)::")


def annotated(text: str) -> list[tuple[str, str | None, str | None, str]]:
    found = (_ANNOTATION.match(line) for line in text.splitlines() if line.startswith("::"))
    return [(m[1], m[2], m[3], m[4]) for m in found if m is not None]


def test_annotations_point_at_the_line_also_through_includes(
    index: PackageServer, requirements: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add_wheel("pytest", "8.0", {"pytest.py": "x = 1\n"})
    requirements("# tools\n\npytest==8.0\n", "app/more/dev.txt")
    requirements("light\n-r more/dev.txt\ngit+https://127.0.0.1:9/x.git#egg=odd\n", "app/req.txt")
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    done = check(index, Path("req.txt"), "--format", "github")
    assert done.code == 3
    found = annotated(done.out)
    assert ("notice", "app/more/dev.txt", "3", "slugcheck%3A pytest%3A development-tools") in found
    assert ("error", "app/req.txt", "3", "slugcheck%3A odd%3A could not be sized") in found
    sarif = json.loads(check(index, Path("req.txt"), "--format", "sarif").out)
    places = {
        result["ruleId"]: result["locations"][0]["physicalLocation"]
        for result in sarif["runs"][0]["results"]
    }
    place = places["development-tools"]
    assert place["artifactLocation"]["uri"] == "app/more/dev.txt"
    assert place["region"]["startLine"] == 3


def test_a_budget_is_annotated_on_the_line_most_to_blame(
    index: PackageServer, requirements: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    requirements("light\nheavy\n")
    limits = ("--limit", "slug=1M", "--limit", "package.tensors=1MB")
    done = check(index, Path("requirements.txt"), *limits, "--format", "github")
    assert done.code == 1
    found = annotated(done.out)
    assert ("error", "requirements.txt", "2", "slugcheck%3A slug%3A over budget") in found
    # tensors has no line of its own: heavy brings it
    title = "slugcheck%3A package.tensors%3A over budget"
    assert ("error", "requirements.txt", "2", title) in found


def test_a_file_outside_of_the_repository_has_no_place(
    index: PackageServer, requirements: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = requirements("git+https://127.0.0.1:9/x.git#egg=odd\nlight\n")
    inside = tmp_path / "repo"
    inside.mkdir()
    monkeypatch.setenv("GITHUB_WORKSPACE", str(inside))
    done = check(index, path, "--format", "github")
    assert {place for _, place, _, _ in annotated(done.out)} == {None}


def test_the_summary_of_the_job_gets_the_markdown(
    index: PackageServer, requirements: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    path = requirements("light\n")
    check(index, path, "--format", "table")
    assert summary.read_text() == "before\n"
    check(index, path, "--format", "github")
    assert summary.read_text().startswith("before\n## ✅ FITS Heroku")


# --------------------------------------------------------------------------- hostile text


def unsafe(text: str) -> list[str]:
    """Return what a terminal or a CI system would obey."""
    lines = text.splitlines()
    found = [line for line in lines if re.match(r"\s*::", line)]
    found += [line for line in lines if re.search(r"##\w*\[", line)]
    return found + [line for line in lines if re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", line)]


@pytest.mark.parametrize("name", sorted(CHECK_FORMATS))
def test_a_hostile_report_is_harmless_in_every_form(name: str) -> None:
    text = inert(render_report(name, cases.hostile(), LOOK), name)
    assert "s3cret" not in text
    if name == "github":
        found = [line for line in text.splitlines() if line.startswith("::")]
        assert all(_ANNOTATION.match(line) for line in found)
        assert not any("\x1b" in line or "\r" in line for line in found)
        text = Inert("\n".join(line for line in text.splitlines() if not line.startswith("::")))
    if name == "markdown":
        for line in text.splitlines():  # in a code span it is text
            for at in (found.start() for found in re.finditer("<script>", line)):
                assert line[:at].count("`") % 2 == 1, line
    if name == "junit":
        ET.fromstring(text)
    elif name == "sarif":
        json.loads(text)
    assert unsafe(text) == []


@pytest.mark.parametrize("name", sorted(CHECK_FORMATS))
def test_a_hostile_file_is_harmless_from_end_to_end(
    index: PackageServer, requirements: Write, name: str
) -> None:
    text = (
        "light\n"
        "./[bold]<script>`|`\x1b[31m/x.whl\n"
        "git+https://u:s3cret@127.0.0.1:9/a.git@::error::#egg=tool\n"
        "-e ./a%0A::error::b\n"
        "odd @ https://me:s3cret@127.0.0.1:9/##[error]x-1-py3-none-any.whl\n"
    )
    path = requirements(text, "dir [bold]|`x`::warning::/requirements.txt")
    done = check(index, path, "--format", name)
    assert done.code == 3, done.err
    assert "s3cret" not in done.out + done.err
    assert "\x1b" not in done.out + done.err
    if name == "github":
        rest = [line for line in done.out.splitlines() if not _ANNOTATION.match(line)]
        assert unsafe("\n".join(rest)) == []
    else:
        assert unsafe(done.out) == []


# --------------------------------------------------------------------------- length


def test_a_report_that_is_longer_than_a_comment_gets_shorter_forms() -> None:
    report = cases.crowd(700)
    whole = markdown.write(view(report), most=10**9)
    assert len(whole) > 65_536
    text = markdown.write(view(report))
    assert len(text) <= markdown.MOST_CHARACTERS
    assert "*Shortened" in text
    assert text.splitlines()[0] == whole.splitlines()[0]
    tiny: Any = markdown.write(view(report), most=1_500)
    assert tiny.startswith("## ")
