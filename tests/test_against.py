"""``--against``: what a change adds to its base, read with git, and gated."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slugcheck.against import Base
from slugcheck.errors import MeasureError
from slugcheck.model import Author, Budget, Settings
from slugcheck.model.options import Options
from slugcheck.project import git as revisions
from slugcheck.project.git import Revision
from slugcheck.reading import top_of
from tests.support import stock
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer

Write = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("private_caches")


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    return stock.fill(package_server)


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A checkout whose branch adds a heavy package and a newer framework to main."""
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init")
    (folder / ".python-version").write_text("3.12\n")
    (folder / "requirements.txt").write_text("-r more/base.txt\nwebapp==1.0\n")
    (folder / "more").mkdir()
    (folder / "more" / "base.txt").write_text("framework==1.0\nlight==1.1\n")
    (folder / "app.py").write_text("print(1)\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "base")
    git(folder, "switch", "-c", "branch")
    (folder / "more" / "base.txt").write_text("# newer\nframework==2.0\nheavy==5.0\n")
    git(folder, "commit", "-am", "heavier")
    return folder


def against(index: PackageServer, repo: Path, base: object, *more: str, path: str = ".") -> Done:
    flags = ("--index-url", index.index_url, "--format", "json", "--against", str(base))
    return slugcheck(repo / path, *flags, *more)


def changes(done: Done) -> dict[str, Any]:
    return {one["name"]: one for one in done.document["changes"]}


def verdict(done: Done, name: str) -> Any:
    return next(one for one in done.document["verdicts"] if one["budget"] == name)


def test_a_branch_that_adds_a_heavy_package_fails_with_its_name_and_fits_a_larger_budget(
    index: PackageServer, repo: Path
) -> None:
    done = against(index, repo, "main", "--limit", "increase=1MB")
    assert done.code == 1, done.err
    assert "heavy" in verdict(done, "increase")["sentence"]
    assert verdict(done, "increase")["subject"] == "heavy"
    found = changes(done)
    assert {name: one["kind"] for name, one in found.items()} == {
        "heavy": "added", "tensors": "added", "framework": "upgraded", "light": "removed",
    }  # fmt: skip
    assert found["heavy"]["because"] == ["direct"]
    assert found["tensors"]["because"] == ["heavy"]
    assert found["light"]["slug_bytes"] < -200_000
    assert (found["framework"]["before"], found["framework"]["after"]) == ("1.0", "2.0")
    assert against(index, repo, "main", "--limit", "increase=10MB").code == 0


def test_the_changes_add_up_to_the_difference_of_the_totals(
    index: PackageServer, repo: Path
) -> None:
    document = against(index, repo, "main").document
    base = document["base"]
    for figure, total in (("installed_bytes", "all_installed_bytes"), ("slug_bytes", "slug_bytes")):
        parts = sum(part[figure] for part in base["parts"])
        added = sum(change[figure] for change in document["changes"]) + parts
        assert added == base[figure]
        assert base["totals"][figure] + added == document["totals"][total]


def test_the_base_is_measured_as_it_is_when_it_is_checked_out(
    index: PackageServer, repo: Path
) -> None:
    totals = against(index, repo, "main").document["base"]["totals"]
    git(repo, "switch", "main")
    alone = slugcheck(repo, "--index-url", index.index_url, "--format", "json").document["totals"]
    assert totals["slug_bytes"] == alone["slug_bytes"]
    assert totals["installed_bytes"] == alone["all_installed_bytes"]


def test_the_work_tree_and_gits_own_files_stay_as_they_are(
    index: PackageServer, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    (repo / "app.py").write_text("print('not committed')\n")
    before = {p: p.stat().st_mtime_ns for p in repo.rglob("*")}
    assert against(index, repo, "main").code == 0
    assert {p: p.stat().st_mtime_ns for p in repo.rglob("*")} == before
    assert list(place.iterdir()) == []


def test_a_single_file_is_compared_with_its_includes_of_the_revision(
    index: PackageServer, repo: Path
) -> None:
    done = against(index, repo, "main", "--python", "3.12", path="requirements.txt")
    assert set(changes(done)) == {"heavy", "tensors", "framework", "light"}


@pytest.mark.parametrize(
    ("budgets", "code"),
    [
        ({"increase": "1MB"}, 1),
        ({"increase_percent": 1}, 1),
        ({"increase": "1MB", "increase_percent": 1}, 1),
        ({"increase": "100MB", "increase_percent": 1}, 0),  # only beyond both
        ({"increase": "1MB", "increase_percent": 900}, 0),
        ({"package_increase": "2MB"}, 1),
        ({"package_increase": "4MB"}, 0),
        ({"increase": {"limit": "1MB", "on": "installed", "message": "ask us"}}, 1),
    ],
)
def test_increases_are_absolute_relative_or_both(
    index: PackageServer, repo: Path, budgets: dict[str, Any], code: int
) -> None:
    lines = ["[budgets]"]
    for name, value in budgets.items():
        if isinstance(value, dict):
            inside = ", ".join(f'{key} = "{text}"' for key, text in value.items())
            lines.append(f"{name} = {{ {inside} }}")
        else:
            lines.append(f"{name} = {value if isinstance(value, int) else f'{value!r}'}")
    (repo / "slugcheck.toml").write_text("\n".join(lines) + "\n")
    done = against(index, repo, "main", "--settings", "head")
    assert done.code == code, done.out
    if "ask us" in str(budgets):
        assert "installed grows by" in verdict(done, "increase")["sentence"]
        assert verdict(done, "increase")["sentence"].endswith("ask us")


def test_a_saved_report_and_another_file_are_bases_too(
    index: PackageServer, repo: Path, tmp_path: Path
) -> None:
    saved = tmp_path / "base.json"
    git(repo, "switch", "main")
    slugcheck(repo, "--index-url", index.index_url, "-q", "--format", "json", "-o", saved)
    git(repo, "switch", "branch")
    by_report = against(index, repo, saved)
    assert set(changes(by_report)) == {"heavy", "tensors", "framework", "light"}
    other = tmp_path / "other.txt"
    other.write_text("webapp==1.0\nframework==2.0\n")
    flags = ("--python", "3.12")
    by_file = against(index, repo, other, *flags, path="requirements.txt")
    assert set(changes(by_file)) == {"heavy", "tensors"}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("origin/main", "git fetch origin main"),
        ("no-such", "a git revision such as origin/main"),
        ("--upload-pack=x", "a git revision"),
        ("", "a git revision"),
    ],
)
def test_a_base_that_is_nowhere_is_a_usage_error(
    index: PackageServer, repo: Path, name: str, hint: str
) -> None:
    flags = ("--index-url", index.index_url, f"--against={name}")
    done = slugcheck(repo, *flags)
    assert (done.code, done.out) == (2, "")
    assert hint in done.err


def test_a_base_that_cannot_be_measured_is_said_and_is_no_zero(
    index: PackageServer, repo: Path
) -> None:
    git(repo, "switch", "-c", "broken", "main")
    (repo / "more" / "base.txt").write_text("nosuchthing==1\n")
    git(repo, "commit", "-am", "broken")
    git(repo, "switch", "branch")
    done = against(index, repo, "broken")
    assert done.code == 0  # no budget needs it
    assert done.document["changes"] == []
    assert done.document["base"]["totals"] is None
    problem = done.document["base"]["problem"]
    assert problem.startswith("broken was not measured: ")
    assert "nosuchthing" in problem
    assert "slugcheck-base-" not in problem  # a path of a folder that is gone
    gated = against(index, repo, "broken", "--limit", "increase=1MB")
    assert gated.code == 3
    assert "not judged" in verdict(gated, "increase")["sentence"]


def test_a_base_without_the_file_is_said(index: PackageServer, repo: Path) -> None:
    (repo / "new.txt").write_text("webapp==1.0\n")
    done = against(index, repo, "main", "--python", "3.12", path="new.txt")
    assert "new.txt is not in" in done.document["base"]["problem"]


def test_a_change_that_loosens_its_own_budget_is_told_and_judged_by_that_of_the_base(
    index: PackageServer, repo: Path
) -> None:
    git(repo, "switch", "main")
    (repo / "slugcheck.toml").write_text('[budgets]\nslug = "100M"\n[deny]\nheavy = "no"\n')
    git(repo, "add", ".")
    git(repo, "commit", "-m", "budgets")
    git(repo, "switch", "-c", "sly")
    (repo / "slugcheck.toml").write_text('[budgets]\nslug = "400M"\n')
    done = against(index, repo, "main")
    notes = done.document["notes"]
    raised = "this change raises the slug budget from 100M to 400M; in effect once merged"
    assert raised in notes
    assert "this change no longer denies heavy; in effect once merged" in notes
    assert verdict(done, "slug")["limit_text"] == "100M"
    assert verdict(done, "slug")["source"] == "set by main:slugcheck.toml: budgets.slug"
    assert verdict(done, "deny")["sentence"] == "not installed: heavy"


def test_the_bar_of_an_increase_has_no_second_percentage(index: PackageServer, repo: Path) -> None:
    flags = ("--index-url", index.index_url, "--against", "branch", "--limit", "increase=1MB")
    git(repo, "switch", "main")
    shrinks = slugcheck(repo, *flags).out
    start = shrinks.index("increase  ")
    words = " ".join(shrinks[start:].split("RAM floor")[0].split())
    assert "slug shrinks by 4" in words
    assert words.endswith("against branch, within 1MB")
    git(repo, "switch", "branch")
    alike = " ".join(slugcheck(repo, *flags).out.split())
    assert "slug does not change against branch, within 1MB" in alike


def test_a_limit_of_a_revision_is_named_with_it(index: PackageServer, repo: Path) -> None:
    git(repo, "switch", "main")
    (repo / "slugcheck.toml").write_text('[budgets]\nslug = "10M"\n')
    git(repo, "add", ".")
    git(repo, "commit", "-m", "settings")
    done = slugcheck(repo, "--index-url", index.index_url, "--against", "main", "-q")
    assert "of 10M (set by main:slugcheck.toml; Heroku itself allows 1000M" in done.out
    assert (
        "of 10M (set by slugcheck.toml; Heroku"
        in slugcheck(repo, "--index-url", index.index_url, "-q").out
    )


def test_without_a_base_increases_are_not_judged_and_do_not_gate(
    index: PackageServer, repo: Path
) -> None:
    done = slugcheck(
        repo, "--index-url", index.index_url, "--format", "json", "--limit", "increase=1B"
    )
    assert done.code == 0, done.err
    assert "--against" in verdict(done, "increase")["sentence"]


def test_links_and_odd_paths_of_a_revision_are_safe(
    index: PackageServer, repo: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("heavy==5.0\n")
    git(repo, "switch", "-c", "odd", "main")
    (repo / "link.bin").symlink_to(secret)
    (repo / "name with\nnewline|[bold].txt").write_text("x")
    git(repo, "add", ".")
    git(repo, "commit", "-m", "odd")
    git(repo, "switch", "branch")
    done = against(index, repo, "odd")
    assert done.document["base"]["problem"] is None
    assert secret.read_text() == "heavy==5.0\n"


def test_a_shallow_clone_without_the_base_says_how_to_get_it(
    index: PackageServer, repo: Path, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--depth=1", "--branch=branch", f"file://{repo}", str(clone))
    done = against(index, clone, "origin/main")
    assert done.code == 2
    assert "fetch-depth: 0" in done.err
    git(clone, "fetch", "--depth=1", "origin", "main:refs/remotes/origin/main")
    assert set(changes(against(index, clone, "origin/main"))) >= {"heavy", "light"}


def test_the_table_and_the_comment_lead_with_what_changed(index: PackageServer, repo: Path) -> None:
    flags = ("--index-url", index.index_url, "--against", "main", "--limit", "increase=1MB")
    table = slugcheck(repo, *flags).out
    assert "against main, MB" in table
    assert "+  heavy 5.0" in table
    assert "-  light 1.1" in table
    assert "^  framework 1.0 → 2.0" in table
    comment = slugcheck(repo, *flags, "--format", "markdown").out
    verdict_at, changes_at = comment.index("OVER BUDGET"), comment.index("### Against `main`")
    assert verdict_at < changes_at < comment.index("<summary>Sizes, MB</summary>")
    assert "| added | `heavy` 5.0 |" in comment


def test_budgets_of_the_command_line_are_no_change_of_the_budgets(
    index: PackageServer, repo: Path
) -> None:
    done = against(index, repo, "main", "--limit", "increase=100MB", "--limit", "slug=400M")
    assert done.document["base"]["notes"] == []


def test_what_is_removed_is_required_by_the_base_alone(index: PackageServer, repo: Path) -> None:
    done = slugcheck(repo, "--index-url", index.index_url, "--against", "main")
    rows = {line.split()[1]: line for line in done.out.splitlines() if line[:2] in ("- ", "+ ")}
    assert rows["light"].endswith("main")
    assert not rows["heavy"].endswith("main")


RULE = Settings(origin=Path("slugcheck.toml"))
BUDGET = Budget(name="slug", text="1M", place="slugcheck.toml: budgets.slug")


@pytest.mark.parametrize(
    ("own", "noted"),
    [
        (Settings(), False), (replace(RULE, models=("a.onnx",), stack="heroku-24"), False),
        (replace(RULE, budgets=(BUDGET,)), True), (replace(RULE, allow_unsized=("a",)), True),
        (replace(RULE, budgets=(BUDGET,), author=Author.USER), False),
    ],
)  # fmt: skip
def test_where_the_base_is_no_revision_the_changes_own_settings_are_said_to_decide(
    tmp_path: Path, own: Settings, noted: bool
) -> None:
    for name in ("requirements.txt", "old.txt"):
        (tmp_path / name).write_text("framework==1.0\n")
    old = tmp_path / "old.txt"
    base = Base(Options(path=tmp_path / "requirements.txt"), str(old))
    said = (
        f"using this change's own settings: {old} is not a revision, so the settings of the base "
        "are unknown (use --against origin/main)"
    )
    assert base._of_settings(own) == ((said,) if noted else ())


# --------------------------------------------------------------------------- the revision itself


def error_of(path: Path, name: str = "main") -> tuple[str, str]:
    with pytest.raises(MeasureError) as raised:
        revisions.find(path, name, top_of(path))
    return str(raised.value), raised.value.hint or ""


def test_a_revision_knows_its_checkout_and_where_the_folder_is_in_it(repo: Path) -> None:
    found = revisions.find(repo / "more", "main", top_of(repo))
    assert found == Revision(commit=git(repo, "rev-parse", "main"), top=repo, prefix="more/")
    for name in ("", "-x", "--help", "no-such", "main:requirements.txt"):
        assert revisions.find(repo, name, top_of(repo)) is None


def test_a_link_of_the_change_does_not_lead_to_other_settings(repo: Path) -> None:
    (repo / "link").symlink_to("more")
    assert error_of(repo / "link" / "base.txt") == (
        f"{repo}/link/base.txt leads through the link {repo}/link",
        "with --against a revision, name the folder that the link leads to",
    )


def test_a_submodule_has_revisions_of_its_own(repo: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repo), "inner")
    inner = outer / "inner"
    assert error_of(inner, "HEAD") == (
        f"{inner} is in a submodule, whose revisions are its own",
        "with --against a revision, check it out by itself",
    )


@pytest.mark.parametrize(("now", "then"), [("file", "folder"), ("folder", "file")])
def test_what_was_something_else_in_the_base_is_said(repo: Path, now: str, then: str) -> None:
    path = repo / ("more" if now == "file" else "app.py")
    if now == "file":
        (path / "base.txt").unlink()
        path.rmdir()
        path.write_text("x")
    else:
        path.unlink()
        path.mkdir()
    assert error_of(path) == (
        f"{path} is a {now} here, and a {then} in main", "name what both have",
    )  # fmt: skip


def test_the_files_of_a_revision_are_written_as_they_were_with_notes(
    repo: Path, tmp_path: Path
) -> None:
    (repo / "run.sh").write_text("x")
    (repo / "run.sh").chmod(0o755)
    (repo / "link").symlink_to("/etc/passwd")
    git(repo, "add", ".")
    git(repo, "update-index", "--add", "--cacheinfo", f"160000,{'ab' * 20},module")
    git(repo, "commit", "-m", "odd")
    revision = revisions.find(repo, "HEAD", top_of(repo))
    assert revision is not None
    place = tmp_path / "place"
    place.mkdir()
    notes = revisions.write(revision, place)
    assert notes == ("not counted in the base: its submodules module",)
    assert (place / "link").readlink() == Path("/etc/passwd")
    assert (place / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (place / "app.py").stat().st_mode & 0o777 == 0o644
    assert (place / "more" / "base.txt").read_text() == (repo / "more" / "base.txt").read_text()
    few = tmp_path / "few"
    few.mkdir()
    revisions.write(revision, few, only=lambda name: name.endswith(".txt"))
    names = {path.relative_to(few).as_posix() for path in few.rglob("*") if not path.is_dir()}
    assert names == {"requirements.txt", "more/base.txt", "link"}


def test_a_file_that_git_has_not_is_named_with_what_brings_it(repo: Path, tmp_path: Path) -> None:
    revision = revisions.find(repo, "HEAD", top_of(repo))
    assert revision is not None
    digest = git(repo, "rev-parse", "HEAD:app.py")
    (repo / ".git" / "objects" / digest[:2] / digest[2:]).unlink()
    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(MeasureError) as raised:
        revisions.write(revision, place)
    assert str(raised.value) == "git does not have app.py of the base"
    assert raised.value.hint == "fetch it: git fetch --refetch, or a full clone"


def test_a_place_that_cannot_be_written_is_said(repo: Path, tmp_path: Path) -> None:
    revision = revisions.find(repo, "HEAD", top_of(repo))
    assert revision is not None
    place = tmp_path / "place"
    place.write_text("a file")
    with pytest.raises(MeasureError) as raised:
        revisions.write(revision, place)
    assert str(raised.value).startswith(f"the files of {revision.commit[:12]} cannot be written: ")
    assert raised.value.hint == "free some space in the temporary folder"


def test_what_git_says_is_passed_on_in_one_line(tmp_path: Path) -> None:
    error = revisions.failed(tmp_path, "\nfatal: it is broken\nmore\n")
    assert str(error) == f"git cannot read {tmp_path}: it is broken"
    assert error.hint == "run git status there"
    assert str(revisions.failed(tmp_path, "")).endswith(": no reason given")
