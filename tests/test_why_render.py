"""How the answer of ``slugcheck why`` looks, and that no text in it is more than text."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from slugcheck.model import Change, ChangeKind, Estimate, Origin
from slugcheck.model.document.saved import dumps
from slugcheck.model.to_document.why import why_document
from slugcheck.model.why import (
    Brings,
    FileLine,
    Freed,
    MeasuredSaving,
    Need,
    Remedy,
    RemedyKind,
    RootPaths,
    Standing,
    UnmeasuredSaving,
    Why,
)
from slugcheck.render import markdown, terminal
from slugcheck.render.view import DASH
from slugcheck.render.views.why import saved, view
from slugcheck.text import inert
from tests.support import cases, reports

PARSER = MarkdownIt("commonmark").enable("table")
HOSTILE = (
    "[bold]x[/bold]",
    "evil|name`code`",
    "<script>alert(1)</script>",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "\u202eevil",
    "::error file=a::b",
    "##[command]x",
    "https://user:s3cret@host.example/simple @everyone #1",
    "a\r\n::warning::no\n</details>",
)


def measured(
    saves: int, *, left: str | None = None, changes: tuple[Change, ...] = ()
) -> MeasuredSaving:
    return MeasuredSaving(
        installed_bytes=saves, slug_bytes=saves // 3, bundle_bytes=saves // 3,
        installed_doubt_bytes=10, slug_doubt_bytes=9, bundle_doubt_bytes=9,
        installed=Estimate[int].predicted(400_000_000, 390_000_000, 410_000_000),
        slug=Estimate[int].predicted(120_000_000, 118_000_000, 122_000_000),
        bundle=Estimate[int].predicted(120_000_000, 118_000_000, 122_000_000),
        changes=changes, left=left, unsized_gone=(),
    )  # fmt: skip


def change(name: str, before: str | None, after: str | None) -> Change:
    kind = ChangeKind.REMOVED if after is None else ChangeKind.UPGRADED
    return Change(
        name=name, kind=kind, before=before, after=after, installed_bytes=-1_000, slug_bytes=-500,
        percent=-1.0, because=("direct",),
    )  # fmt: skip


def remedy(
    kind: RemedyKind, root: str, outcome: MeasuredSaving | UnmeasuredSaving,
    graph: Freed | None = None,
) -> Remedy:  # fmt: skip
    return Remedy(
        kind=kind, roots=(root,),
        before=(FileLine(text=f"{root}==1.0", origin=Origin(file="requirements.txt", line=3)),),
        after=(FileLine(text=root),), graph=graph, outcome=outcome,
    )  # fmt: skip


def sympy() -> Why:
    """An answer as a real run gives it."""
    report = cases.onnx()
    by_name = {one.name: one for one in report.sizes.distributions}
    own = by_name["sympy"]
    origin = Origin(file=report.path, line=3)
    freed = Freed(
        names=("mpmath", "sympy"), installed_bytes=80_000_000, slug_bytes=21_000_000,
            bundle_bytes=21_000_000
    )  # fmt: skip
    gone = (change("mpmath", "1.3.0", None), change("sympy", "1.14.0", None))
    newer = (*gone, change("onnxruntime", "1.23.2", "1.32.0"), change("numpy", "1.26", "2.4"))
    return Why(
        report=report,
        name="sympy",
        requested_extras=(),
        standing=Standing.INSTALLED,
        size=own,
        unsized=None,
        needs=(
            Need(by="onnxruntime", version="1.23.2", extra="", asks="sympy", lines=("sympy",)),
        ),
        roots=(
            RootPaths(
                name="onnxruntime", version="1.23.2",
                lines=(FileLine(text="onnxruntime==1.23.2", origin=origin),),
                paths=(("onnxruntime", "sympy"),), more_paths=0,
            ),
        ),
        brings=Brings(exclusive=(by_name["mpmath"],), shared=(), unsized=(), freed=freed),
        remedies=(
            remedy(RemedyKind.REMOVE, "onnxruntime", measured(139_000_000, changes=gone), freed),
            remedy(RemedyKind.NEWEST, "onnxruntime", measured(55_000_000, changes=newer)),
            remedy(
                RemedyKind.REMOVE, "flask", UnmeasuredSaving(reason="not tried", tried=False), freed
            ),
            remedy(
                RemedyKind.EQUIVALENT, "opencv-python",
                UnmeasuredSaving(reason="does not resolve: no version", tried=True),
            ),
        ),
        findings=(),
        notes=(),
    )  # fmt: skip


def hostile(text: str) -> Why:
    """The same with one text from outside in every place that has one."""
    own = sympy()
    report = cases.hostile()
    origin = Origin(file=text, line=3)
    line = FileLine(text=text, origin=origin)
    moved = change(text, text, text)
    return replace(
        own,
        report=replace(report, path=text),
        name=text,
        requested_extras=(text,),
        size=replace(
            report.sizes.distributions[0],
            distribution=replace(report.sizes.distributions[0].distribution, version=text),
        ),
        needs=(Need(by=text, version=text, extra=text, asks=text, lines=(text,)),),
        roots=(
            RootPaths(
                name=text, version=text, lines=(line, line), paths=((text, text),), more_paths=7
            ),
        ),
        remedies=(
            replace(own.remedies[0], roots=(text,), before=(line,)),
            replace(
                own.remedies[1], roots=(text, text), before=(line,), after=(line,),
                outcome=measured(9_000_000, left=text, changes=(moved,)),
            ),
            replace(
                own.remedies[3], roots=(text,), before=(line,), after=(line,),
                outcome=UnmeasuredSaving(reason=text, tried=True),
            ),
        ),
        findings=report.findings,
        notes=(text,),
    )  # fmt: skip


def test_the_table_says_what_each_change_saves() -> None:
    text = terminal.write(view(sympy()), width=100, color=False)
    assert re.search(r"^-  onnxruntime==1\.0 +139\.0 +46\.3 +114\.5M  removed$", text, re.M)
    assert re.search(
        r"^\^  onnxruntime==1\.0 → 1\.32\.0 +55\.0 +18\.3 +114\.5M  removed$", text, re.M
    )
    assert "   also changed: numpy 1.26 → 2.4\n" in text
    assert re.search(r"^-  flask==1\.0 +80\.0 +21\.0 +removed$", text, re.M)  # by the graph
    assert "   does not resolve: no version\n" in text
    assert "not tried: without flask\n" in text
    assert text.startswith(
        "✓ sympy 1.14.0 is in requirements_onnx.txt: required only by onnxruntime;"
    )
    assert text.endswith("onnxruntime 1.32.0 no\n  longer requires it\n")


@pytest.mark.parametrize("width", [60, 80, 100, 120, 140])
@pytest.mark.parametrize("unicode", [True, False])
def test_no_line_is_longer_than_the_screen(width: int, unicode: bool) -> None:
    for why in (sympy(), hostile("a-distribution-with-a-very-long-name-" * 3)):
        shown = view(replace(why, findings=()))
        text = terminal.write(shown, width=width, color=False, unicode=unicode)
        assert max(map(len, text.splitlines())) <= width
        assert unicode or text.isascii()


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_from_outside_acts(text: str) -> None:
    why = hostile(text)
    table = inert(terminal.write(view(why, all_rows=True), width=100, color=False), "table")
    document = dumps(why_document(why))
    page = markdown.write(view(why, all_rows=True))
    for shown in (table, page, document):
        assert "s3cret" not in shown
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", shown)
        assert not re.search(r"^\s*::", shown, re.M)
    assert "##[" not in table + page
    html = PARSER.render(page).replace("<!-- -->", "")
    own = "h2|h3|p|table|thead|tbody|tr|t[hd]|code|pre|strong|em|ul|li|br"
    assert not re.search(rf"<(?!/?(?:{own})\b)", html)
    assert len(json.loads(document)["remedies"]) == 3


@pytest.mark.parametrize("text", ["plain", *HOSTILE])
def test_every_row_of_a_markdown_table_has_the_cells_of_its_head(text: str) -> None:
    page = markdown.write(view(hostile(text), all_rows=True))
    html = PARSER.render(page)
    heads = [line for line in page.splitlines() if re.fullmatch(r"\|[-:|]+\|", line)]
    assert html.count("<table>") == len(heads) == 4
    for table in re.findall(r"<table>.*?</table>", html, re.DOTALL):
        rows = table.split("</tr>")[:-1]
        assert len({len(re.findall(r"<t[hd][ >]", row)) for row in rows}) == 1


def test_the_document_holds_both_the_graph_and_the_measurement() -> None:
    found = json.loads(dumps(why_document(sympy())))
    first, newest, untried, failed = found["remedies"]
    assert first["graph"]["slug_bytes"] == 21_000_000
    assert first["measured"]["saves_slug_bytes"] == 46_333_333
    assert newest["graph"] is None
    assert newest["measured"]["changes"][0]["kind"] == "removed"
    assert (untried["measured"], untried["tried"], untried["reason"]) == (None, False, "not tried")
    assert (failed["tried"], failed["reason"]) == (True, "does not resolve: no version")


def test_the_proof_of_a_resolver_is_cut_on_the_screen_and_whole_in_the_document() -> None:
    reason = "does not resolve: " + "because a depends on b " * 60
    why = replace(
        sympy(),
        remedies=(
            remedy(RemedyKind.NEWEST, "flask", UnmeasuredSaving(reason=reason, tried=True)),
        ),
    )  # fmt: skip
    shown = " ".join(terminal.write(view(why), width=80, color=False).split())
    assert "… (all of it with --format json)" in shown
    assert shown.count("because a depends on b") < 10
    assert json.loads(dumps(why_document(why)))["remedies"][0]["reason"] == reason


def test_what_is_saved_or_added_is_rounded_to_nearest() -> None:
    assert [saved(n) for n in (0, 20, 99_999, 149_999, -20, -149_999, -150_000)] == [
        "0.0", "<0.1", "0.1", "0.1", "0.0", "+0.1", "+0.2",
    ]  # fmt: skip


# --------------------------------------------------------------------------- golden screens


def absent() -> Why:
    """One that nothing installs on this target, though a marker asks for it elsewhere."""
    need = Need(
        by="onnxruntime", version="1.23.2", extra="more", asks="sympy ; os_name == 'nt'",
        lines=("sympy ; os_name == 'nt'", "sympy ; extra == 'more'"),
        unmet="its marker excludes it",
    )  # fmt: skip
    return replace(
        sympy(), standing=Standing.ABSENT, size=None, needs=(need,), roots=(), brings=None,
        remedies=(), notes=("a note",),
    )  # fmt: skip


def crowded() -> Why:
    """Much of everything: needs, paths, what comes along, and every kind of remedy."""
    own = sympy()
    rows = own.report.sizes.distributions
    origin = Origin(file="requirements.txt", line=3)
    needs = tuple(
        Need(by="" if n == 0 else f"parent-{n:02d}", version="" if n == 0 else f"{n}.0",
             extra="x" if n == 2 else "", asks=f"sympy>={n}", lines=(f"sympy>={n}",),
             origin=origin if n == 0 else None)
        for n in range(14)
    )  # fmt: skip
    roots = tuple(
        RootPaths(
            name=f"root-{n}", version=f"{n}", more_paths=3 * (n % 2),
            lines=tuple(FileLine(text=f"root-{n}=={m}", origin=origin) for m in range(n % 3)),
            paths=tuple((f"root-{n}", f"by-{m}[x]", "sympy") for m in range(1 + n % 3)),
        )
        for n in range(9)
    )  # fmt: skip
    brings = Brings(
        exclusive=rows[:9], shared=rows[9:15], unsized=("odd", "even"),
        freed=Freed(names=("a", "b"), installed_bytes=80_000_000, slug_bytes=21_000_000,
            bundle_bytes=21_000_000),
    )  # fmt: skip
    away = (change("mpmath", "1.3.0", None), change("new", None, "1"), change("moved", "1", "2"))
    freed = Freed(
        names=("a", "b", "c"),
        installed_bytes=70_000_000,
        slug_bytes=20_000_000,
        bundle_bytes=20_000_000,
    )
    outcomes = (
        measured(139_000_000, changes=away), measured(-5_000_000, left="1.14.0"),
        replace(measured(0), unsized_gone=("odd",)),
        UnmeasuredSaving(reason="does not resolve", tried=True),
        UnmeasuredSaving(reason="not tried", tried=False),
    )  # fmt: skip
    remedies = tuple(
        remedy(kind, f"root-{n}", outcomes[n % len(outcomes)], freed if n % 2 else None)
        for n, kind in enumerate(list(RemedyKind) * 2)
    )
    return replace(
        own, requested_extras=("x", "y"), needs=needs, roots=roots, brings=brings,
        remedies=remedies, findings=cases.cuda().findings,
        notes=tuple(f"note {n}" for n in range(3)),
    )  # fmt: skip


SHOWN = {"sympy": sympy, "absent": absent, "crowded": crowded}


@pytest.mark.parametrize("name", SHOWN)
def test_the_screen_looks_as_it_was_approved(name: str) -> None:
    text = terminal.write(view(SHOWN[name]()), width=80, color=False)
    reports.assert_golden(f"table-why-{name}-80.txt", text)


@pytest.mark.parametrize("name", SHOWN)
def test_the_page_looks_as_it_was_approved(name: str) -> None:
    reports.assert_golden(f"markdown-why-{name}.md", markdown.write(view(SHOWN[name]())))


def test_on_a_platform_without_a_slug_the_answer_is_about_the_bundle() -> None:
    report = cases.functions()
    text = terminal.write(view(replace(crowded(), report=report)), width=80, color=False)
    reports.assert_golden("table-why-bundle-80.txt", text)


def test_all_rows_shows_everything() -> None:
    every = terminal.write(view(crowded(), all_rows=True), width=80, color=False)
    for number in range(1, 14):
        assert f"parent-{number:02d}" in every
    for number in range(9):
        assert f"root-{number}" in every


# --------------------------------------------------------------------------- the first sentence


def root(name: str) -> RootPaths:
    return RootPaths(
        name=name, version="1.0", lines=(FileLine(text=name),), paths=((name, "sympy"),),
        more_paths=0,
    )  # fmt: skip


def removing(kind: RemedyKind, *roots: str, saves: int = 9_000_000) -> Remedy:
    """A change that removes sympy, and leaves other versions of its roots where it keeps them."""
    kept = () if "remove" in kind else tuple(change(name, "1.0", "2.0") for name in roots)
    made = remedy(kind, roots[0], measured(saves, changes=kept))
    return replace(made, roots=roots)


STAYS = replace(
    remedy(RemedyKind.REMOVE, "a", measured(9_000_000, left="1.14.0")), roots=("a",)
)  # fmt: skip
UNTRIED = remedy(RemedyKind.REMOVE, "a", UnmeasuredSaving(reason="not tried", tried=False))


@pytest.mark.parametrize(
    ("roots", "remedies", "said"),
    [
        ((), (), "nothing in the file requires sympy"),
        (("sympy",), (), "required only by its own line"),
        (("sympy", "a", "b"), (), "required by its own line and by a and b"),
        (("a",), (), "required only by a"),
        (("a",), (removing(RemedyKind.REMOVE, "a"), STAYS), "required only by a"),
        (("a",), (STAYS, UNTRIED, removing(RemedyKind.NEWEST, "a")),
         "required only by a; a 2.0 no longer requires it"),
        (("a", "b"), (STAYS,),
         "required by 2 lines: a and b; removed only if you delete both"),
        (("a", "b", "c", "d"), (UNTRIED,),
         "required by 4 lines: a, b, c and 1 more; removed only if you delete all of them"),
        (("a", "b"), (removing(RemedyKind.REMOVE_ALL, "a", "b"),),
         "required by 2 lines: a and b; removed only if you delete both"),
        (("a", "b"), (removing(RemedyKind.REMOVE, "b"),),
         "required by 2 lines: a and b; removed if you delete b"),
        (("a", "b"), (removing(RemedyKind.REMOVE, "b", saves=0),),
         "required by 2 lines: a and b; removed only if you delete both"),
        (("a", "b"), (removing(RemedyKind.NEWEST, "b"),),
         "required by 2 lines: a and b; removed with b==1.0 → 2.0"),
        (("a", "b"), (removing(RemedyKind.NEWEST_ALL, "a", "b"),),
         "required by 2 lines: a and b; removed with the newest of both"),
        (("a", "b", "c"), (removing(RemedyKind.NEWEST_ALL, "a", "b", "c"),),
         "required by 3 lines: a, b and c; removed with the newest of all 3"),
        (("a", "b"), (removing(RemedyKind.EQUIVALENT, "a"),),
         "required by 2 lines: a and b; removed with a==1.0 → a"),
    ],
)  # fmt: skip
def test_the_first_sentence_says_what_requires_it_and_what_removes_it(
    roots: tuple[str, ...], remedies: tuple[Remedy, ...], said: str
) -> None:
    why = replace(sympy(), roots=tuple(map(root, roots)), remedies=remedies)
    text = terminal.write(view(why), width=200, color=False)
    assert text.splitlines()[0] == f"✓ sympy 1.14.0 is in requirements_onnx.txt: {said}"


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ((), ""),
        ((Need(by="a", version="1", extra="", asks="x", lines=("x",), unmet="no marker fits"),),
         ": a: no marker fits"),
        ((Need(by="", version="", extra="", asks="x", lines=("x",), unmet="no marker fits"),),
         ": no marker fits"),
    ],
)  # fmt: skip
def test_what_is_not_installed_is_said_with_the_reason(needs: tuple[Need, ...], said: str) -> None:
    why = replace(absent(), needs=needs)
    first = terminal.write(view(why), width=200, color=False).splitlines()[0]
    assert first == f"? sympy is not installed on Heroku with Python 3.11{said}"


def test_what_has_no_size_is_said_with_the_reason_and_the_text_of_its_line() -> None:
    gone = reports.missing("./Odd", "2.0", "it is a local folder", 3)
    why = replace(sympy(), standing=Standing.UNSIZED, unsized=gone, size=None, name="odd")
    first = terminal.write(view(why), width=200, color=False).splitlines()[0]
    assert first == (
        "? ./Odd 2.0 is in requirements_onnx.txt: ./Odd could not be sized: it is a local folder"
    )


# --------------------------------------------------------------------------- the changes


def changes_of(*remedies: Remedy) -> list[str]:
    """The lines of the table of changes, below the file as it is."""
    why = replace(sympy(), remedies=remedies)
    text = terminal.write(view(why), width=200, color=False)
    found = next(part for part in text.split("\n\n") if "savings by change" in part)
    return [" ".join(line.split()) for line in found.splitlines()[2:]]


@pytest.mark.parametrize(
    ("made", "rows"),
    [
        (removing(RemedyKind.REMOVE, "a"), ["- a==1.0 9.0 3.0 114.5M removed",
                                            "a stays: others require it"]),
        (replace(removing(RemedyKind.REMOVE, "a"), outcome=replace(
            measured(9_000_000, left="1.0", changes=(change("a", "1.0", "0.5"),)),
            unsized_gone=("odd",))),
         ["- a==1.0 9.0 3.0 114.5M then 1.0", "others require a and get 0.5",
          "also removed: odd (size unknown)"]),
        (remedy(RemedyKind.REMOVE, "a", measured(9_000_000, left="1.14.0", changes=(
            change("a", "1.0", None), change("b", "1", None), change("c", None, "3"),
            change("d", "1", "2"), change("sympy", "1.14.0", "1.13")))),
         ["- a==1.0 9.0 3.0 114.5M stays", "also removed: b", "new: c 3",
          "also changed: d 1 → 2"]),
        (remedy(RemedyKind.REMOVE, "sympy", measured(9_000_000)),
         ["- sympy==1.0 9.0 3.0 114.5M removed"]),
        (remedy(RemedyKind.EQUIVALENT, "a", measured(-9_000_000, left="", changes=(
            change("a", "1.0", None),))),
         ["~ a==1.0 → a +9.0 +3.0 114.5M stays", "also removed: a"]),
        (removing(RemedyKind.REMOVE_ALL, "a", "b"), ["- both lines: a and b 9.0 3.0 114.5M "
                                                     "removed"]),
        (removing(RemedyKind.NEWEST_ALL, "a", "b", "c"),
         ["^ all 3 → newest: a, b and c 9.0 3.0 114.5M removed"]),
        (remedy(RemedyKind.NEWEST, "a", UnmeasuredSaving(reason="no solution", tried=True)),
         [f"^ a==1.0 → newest {DASH} {DASH}", "no solution"]),
    ],
)  # fmt: skip
def test_a_change_says_what_it_saves_and_what_else_it_does(made: Remedy, rows: list[str]) -> None:
    assert changes_of(made) == rows


def test_what_the_graph_alone_knows_has_its_figures_and_what_goes_with_it() -> None:
    freed = Freed(
        names=("a", "b", "c"), installed_bytes=70_000_000, slug_bytes=20_000_000,
        bundle_bytes=20_000_000,
    )  # fmt: skip
    with_it = replace(freed, names=("a", "sympy"))
    assert changes_of(replace(UNTRIED, graph=freed)) == [
        "- a==1.0 70.0 20.0 stays", "also removed: b and c", "not tried",
    ]  # fmt: skip
    assert changes_of(replace(UNTRIED, graph=with_it))[0] == "- a==1.0 70.0 20.0 removed"


def test_changes_that_do_nothing_or_were_not_tried_are_named_below_the_table() -> None:
    idle = remedy(RemedyKind.NEWEST, "a", measured(0, left="1.14.0"))
    untried = (
        replace(UNTRIED, roots=("b",)),
        replace(UNTRIED, kind=RemedyKind.NEWEST, roots=("c",)),
        replace(UNTRIED, kind=RemedyKind.EQUIVALENT, roots=("d",)),
        replace(UNTRIED, kind=RemedyKind.REMOVE_ALL, roots=("b", "c")),
    )
    assert changes_of(removing(RemedyKind.REMOVE, "sympy"), idle, *untried)[1:] == [
        "no newer version fits: a",
        "not tried: without b, the newest c, the replacement of d and without both",
    ]


def test_a_long_reason_begins_as_it_was_and_ends_between_words() -> None:
    reason = "does not resolve: " + "word " * 100
    failed = remedy(RemedyKind.NEWEST, "a", UnmeasuredSaving(reason=reason, tried=True))
    shown = " ".join(changes_of(failed)[1:])
    assert shown.startswith("does not resolve: word word ")
    assert shown.endswith("word … (all of it with --format json)")
    assert shown.count("word") == 36
