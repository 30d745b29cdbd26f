"""What is said where nothing can be resolved, and of lines that conflict: each sentence by itself.

The texts are uv 0.13.9's own.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from slugcheck.errors import NetworkError, ResolutionError
from slugcheck.model import IndexOptions, Obstacle, Origin, Requirement
from slugcheck.packages.resolve import conflicts
from slugcheck.packages.resolve.conflicts import Change, Core, Line, Trouble, explain
from slugcheck.packages.resolve.uv import ResolverSettings, Uv, _failure, understand
from tests.support import reports

TARGET = reports.target()

# --------------------------------------------------------------------------- the network


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("error: Failed to fetch: `http://u:pw@h:81/simple/x/`\n  cause: HTTP status client error "
         "(401 Unauthorized) for url (http://u:pw@h:81/simple/x/)",
         "the index at http://h:81/simple/x/ requires a user name and password (401)"),
        ("error: Failed to fetch: `http://h/simple/x/`\n  cause: HTTP status client error "
         "(403 Forbidden) for url (http://h/simple/x/)",
         "the index at http://h/simple/x/ refuses access (403)"),
        ("error: Failed to fetch: `https://h/simple/x/`\n  cause: client error (Connect)\n"
         "  cause: invalid peer certificate: UnknownIssuer",
         "the TLS certificate of the index at https://h/simple/x/ is not trusted"),
        ("error: Request failed after 3 retries\n  cause: Failed to fetch: `http://h/simple/x/`\n"
         "  cause: dns error\n  cause: failed to lookup address information: Name or service not "
         "known", "the host of the index at http://h/simple/x/ cannot be resolved (DNS)"),
        ("error: Failed to fetch: `http://127.0.0.1:9/simple/x/`\n  cause: tcp connect error\n"
         "  cause: Connection refused (os error 111)",
         "the index at http://127.0.0.1:9/simple/x/ cannot be reached: connection refused"),
        ("error: Failed to fetch: `http://h/simple/x/`\n  cause: operation timed out",
         "the index at http://h/simple/x/ does not answer in time"),
        ("error: Failed to fetch: `http://h/simple/x/`\n  cause: HTTP status server error (500 "
         "Internal Server Error)",
         "the index at http://h/simple/x/ cannot be used: HTTP status server error (500 Internal "
         "Server Error)"),
        ("error: error sending request", "the index cannot be used: error sending request"),
    ],
)  # fmt: skip
def test_a_failing_index_is_named_with_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(NetworkError) as raised:
        _failure(text)
    assert "pw" not in str(raised.value)
    assert str(raised.value).replace("***@", "").replace("u:", "") == said
    assert raised.value.hint is not None
    assert raised.value.hint.startswith("check the connection, the index URL and any proxy")


def test_what_has_no_solution_is_no_network_error_whatever_it_names() -> None:
    text = "error: No solution found\n  cause: Because certificate==1 was not found in the cache"
    assert not _failure(text).network
    assert not understand("error: bad requirement").network


# --------------------------------------------------------------------------- uv itself


def test_a_uv_that_does_not_start_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = Uv(target=TARGET, options=IndexOptions(), settings=ResolverSettings())
    uv._program = str(tmp_path / "none")
    with pytest.raises(ResolutionError) as raised:
        uv.compile(["flask"])
    assert str(raised.value) == "uv, the resolver, could not be started: No such file or directory"
    assert raised.value.hint == "reinstall it: pip install uv"
    monkeypatch.setattr("uv.find_uv_bin", _no_uv)
    with pytest.raises(ResolutionError, match="uv, the resolver, is not installed with slugcheck"):
        Uv(target=TARGET, options=IndexOptions(), settings=ResolverSettings())


def _no_uv() -> str:
    raise FileNotFoundError


# --------------------------------------------------------------------------- conflicts


def line(
    text: str, number: int = 1, file: str = "requirements.txt", *, constraint: bool = False
) -> Line:
    """A line such as ``flask[async]==3 ; marker``, or ``name @ URL``."""
    wanted, _, marker = text.partition(" ; ")
    wanted, at, url = wanted.partition(" @ ")
    name = next((wanted[:n] for n, c in enumerate(wanted) if c in "[<>=!~"), wanted)
    extras = tuple(wanted.partition("[")[2].partition("]")[0].split(",")) if "[" in wanted else ()
    specifier = wanted.partition("]")[2] if extras else wanted[len(name) :]
    requirement = Requirement(
        name=name, text=text, origin=Origin(file=file, line=number), extras=extras,
        specifier="==1.0" if at else specifier, marker=marker, url=url or None,
    )  # fmt: skip
    return Line(requirement, constraint=constraint)


def core(text: str, *lines: Line, minimal: bool = True) -> Core:
    head = "error: No solution found when resolving dependencies:\n  cause: "
    return Core(lines=lines, failure=understand(head + text), minimal=minimal)


A, B = line("a==1", 1), line("b==2", 2)
CASES = [
    (core("Because b==2 depends on a>=2 and you require a==1, we can conclude that b==2 cannot be "
          "used.", A, B),
     "requirements.txt:1 a==1 conflicts with line 2 b==2, which needs a>=2"),
    (core("Because b==2 depends on c>=2 and a==1 depends on c<2, we can conclude that a==1 and "
          "b==2 are incompatible.", A, B),
     "requirements.txt:1 a==1, which needs c<2, conflicts with line 2 b==2, which needs c>=2"),
    (core("Because b==2 depends on a>=2 and you require a==1, we can conclude that b==2 cannot be "
          "used.", A, line("b==2", 7, "more/base.txt")),
     "requirements.txt:1 a==1 conflicts with more/base.txt:7 b==2, which needs a>=2"),
    (core("Because you require a==1 and a==2, we can conclude that your requirements are "
          "unsatisfiable.", A, line("a==2", 5)),
     "requirements.txt:1 a==1 conflicts with line 5 a==2"),
    (core("Because a==1 depends on c>=9 and only c<=3 is available, we can conclude that a==1 "
          "cannot be used.", A),
     "requirements.txt:1 a==1 needs c>=9; no index has such a version of c"),
    (core("something new", A),
     "requirements.txt:1 a==1 cannot be installed: something that it requires has no version that "
     "fits"),
    (core("Because a==1 depends on c and c was not found in the package registry, we can conclude "
          "that a==1 cannot be used.", A), "requirements.txt:1 a==1 needs c, and no index has c"),
    (core("Because a==1 depends on c==4.0 and there is no version of c==4.0, we can conclude that "
          "a==1 cannot be used.", A),
     "requirements.txt:1 a==1 needs c==4.0: there is no c 4.0"),
    (core("Because a==1 has no usable wheels and you require a==1, we can conclude that your "
          "requirements are unsatisfiable.", A),
     "requirements.txt:1 a==1 has no wheel for Python 3.11"),
    (core("Because c==5 has no usable wheels and a==1 depends on c==5, we can conclude that a==1 "
          "cannot be used.", A),
     "requirements.txt:1 a==1 needs c==5; c has no wheel for Python 3.11 in those versions"),
]  # fmt: skip


@pytest.mark.parametrize(("conflict", "sentence"), CASES)
def test_a_conflict_is_said_in_one_sentence(conflict: Core, sentence: str) -> None:
    found = explain(conflict, TARGET)
    assert found.sentence == sentence
    assert found.origin == Origin(file="requirements.txt", line=1)
    assert found.python is bool(conflict.failure.without_wheel)


def test_a_python_that_is_too_old_is_named_with_where_it_comes_from() -> None:
    text = (
        "Because the requested Python version (>=3.11.16) does not satisfy Python>=3.12 and a==1 "
        "depends on Python>=3.12, we can conclude that a==1 cannot be used."
    )
    found = explain(core(text, A), TARGET)
    assert found.sentence == (
        "requirements.txt:1 a==1 needs Python>=3.12; the target has Python 3.11 (--python)"
    )
    assert found.python


def to(changed: Line, version: str | None) -> Change:
    now = None if version is None else changed.with_specifier(version)
    return Change(line=changed, now=now)


AT = Origin(file="requirements.txt", line=1)


@pytest.mark.parametrize(
    ("changes", "left_out", "versions", "fix", "instead"),
    [
        ([to(A, ">=1")], (), {"a": "1.5"}, "a==1.5  # line 1",
         "sized with a 1.5 (line 1 loosened)"),
        ([to(line("a[x,y]==1 ; os_name == 'posix'", 3, "more/b.txt"), "")], (), {"a": "2"},
         "a[x,y]==2 ; os_name == 'posix'  # more/b.txt:3", "sized with a 2 (line 3 loosened)"),
        ([to(A, None)], (), {}, "# delete line 1: a==1", "sized without a"),
        ([to(A, None)], (), {"a": "3"}, "# delete line 1: a==1",
         "sized with a 3 (line 1 left out)"),
        ([to(line("a @ https://h/a-1.0.whl", 4, "c.txt"), None)], (), {},
         "# delete c.txt:4: a 1.0 (a URL)", "sized without a"),
        ([to(A, ">=1")], (), {}, "", "sized without a"),
        ([to(A, ">=1")], (), {"a": "1"}, "", ""),  # opened, and the same version came out
        ([to(A, ">=1"), to(B, "")], ("c", "d"), {"a": "2", "b": "3"},
         "a==2  # line 1\nb==3  # line 2",
         "sized without c and d, with a 2 (line 1 loosened) and with b 3 (line 2 loosened)"),
        ([to(line(f"n{n}==1", n), "") for n in range(1, 6)], (), {f"n{n}": "2" for n in range(6)},
         "\n".join(f"n{n}==2  # line {n}" for n in range(1, 6)),
         "sized with n1 2 (line 1 loosened), with n2 2 (line 2 loosened), with n3 2 (line 3 "
         "loosened), with n4 2 (line 4 loosened) and with n5 2 (line 5 loosened)"),
        ([to(line(f"n{n}==1", n), "") for n in range(1, 7)], (), {f"n{n}": "2" for n in range(7)},
         "\n".join(f"n{n}==2  # line {n}" for n in range(1, 7)), "sized with 6 lines loosened"),
        ([to(line(f"n{n}==1", n), "") for n in range(1, 10)], (), {f"n{n}": "2" for n in range(10)},
         "", "sized with 9 lines loosened"),
    ],
)  # fmt: skip
def test_what_was_changed_is_said_with_the_line_to_write(
    changes: list[Change], left_out: tuple[str, ...], versions: dict[str, str], fix: str,
    instead: str,
) -> None:  # fmt: skip
    trouble = Trouble(sentence="s", changes=tuple(changes), origin=AT, left_out=left_out)
    assert trouble.obstacle(versions) == Obstacle(sentence="s", fix=fix, instead=instead, origin=AT)


def test_a_line_that_was_changed_twice_is_one_change() -> None:
    once = to(A, ">=1")
    assert once.now is not None
    twice = Change(line=Line(once.now), now=None)
    trouble = Trouble(sentence="s", changes=(once, twice), origin=None, fix="its own")
    found = trouble.obstacle({})
    assert (found.fix, found.instead) == ("its own", "sized without a")
    placed = Trouble(sentence="s", changes=(once, twice), origin=None).obstacle({})
    assert placed.fix == "# delete requirements.txt:1: a==1"


def obstacle(sentence: str, fix: str = "") -> Obstacle:
    return Obstacle(sentence=sentence, fix=fix)


@pytest.mark.parametrize(
    ("several", "said", "hint"),
    [
        ([obstacle("one", "a==1\n# b")], "one", "a==1; b"),
        ([obstacle("one"), obstacle("two", "x"), obstacle("three")], "one; and 2 more",
         "--verbose shows the resolver's whole reason"),
    ],
)  # fmt: skip
def test_a_file_that_has_to_be_sized_as_it_is_ends_with_the_first_of_them(
    several: list[Obstacle], said: str, hint: str
) -> None:
    error = conflicts.refusal(several, ["why", "and why"])
    assert (str(error), error.hint, error.detail) == (said, hint, "why\nand why")


@pytest.mark.parametrize(
    ("lines", "said", "hint"),
    [
        ((), "the requirements have no solution", "--verbose shows the resolver's whole reason"),
        ((A, B), "requirements.txt:1 a==1 conflicts with line 2 b==2, which needs a>=2",
         "change one of a==1 (requirements.txt:1) and b==2 (requirements.txt:2)"),
        ((line("a", 1), B), "requirements.txt:1 a conflicts with line 2 b==2, which needs a>=2",
         "change b==2 (requirements.txt:2)"),
        ((line("a", 1),),
         "requirements.txt:1 a cannot be installed: something that it requires has no version "
         "that fits", "--verbose shows the resolver's whole reason"),
        ((line("z==1", 1),), "the requirements have no solution",
         "--verbose shows the resolver's whole reason"),
    ],
)  # fmt: skip
def test_without_trials_the_lines_of_the_reason_are_what_to_change(
    lines: tuple[Line, ...], said: str, hint: str
) -> None:
    failure = core("Because b==2 depends on a>=2 and you require a==1, we conclude.", A).failure
    error = conflicts.unsolvable(failure, lines, TARGET)
    assert (str(error), error.hint, error.detail) == (said, hint, failure.text)


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ("0.1", "1 2 3 4 5"), ("3", "1 2 3 4 5"), ("4", "2 3 4 5 6"), ("4.5", "3 4 5 6 7"),
        ("7", "4 5 6 7 8"), ("99", "4 5 6 7 8"), ("odd", "4 5 6 7 8"),
    ],
)  # fmt: skip
def test_the_versions_around_the_one_that_is_wanted_are_shown(wanted: str, shown: str) -> None:
    known = [Version(str(number)) for number in range(1, 9)]
    assert " ".join(map(str, conflicts._around(known, wanted))) == shown
    assert list(conflicts._around(known[:2], wanted)) == known[:2]


# --------------------------------------------------------------------------- local versions


def test_local_versions_come_from_pytorchs_index_or_from_one_that_is_unknown() -> None:
    cpu, cuda = line("torch==2.5+cpu", 1), line("vision==0.2+cu124", 2)
    url = "--extra-index-url https://download.pytorch.org/whl"
    assert conflicts.missing_local_versions([cpu, cuda]) == (
        "none of the file's indexes has requirements.txt:1 torch==2.5+cpu and requirements.txt:2 "
        "vision==0.2+cu124: the default index has no local versions (those with a + in them)"
    )
    assert conflicts._local_fix([cpu], TARGET) == f"{url}/cpu"
    assert conflicts._local_fix([cpu, cuda], TARGET) == (
        f"{url}/cpu\ntorch==2.5+cpu\nvision==0.2+cpu"
    )
    assert conflicts._local_fix([cuda], TARGET) == f"{url}/cpu\nvision==0.2+cpu"  # has no GPU
    own = conflicts._local_fix([line("a==1+own")], TARGET)
    assert own == "--extra-index-url URL  # of the index that has it"
