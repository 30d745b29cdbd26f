"""Settings: a pull request neither loosens its own gate nor says which servers are asked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import stock
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer

pytestmark = pytest.mark.usefixtures("private_caches", "plain_network")

STRICT = """\
allow_unsized = []
[budgets]
slug = "1M"
[deny]
heavy = "too heavy"
"""


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def index() -> Iterator[PackageServer]:
    with PackageServer() as server:
        stock.fill(server)
        for number, name in enumerate(("old", "new")):
            server.add_wheel(name, "1.0", {"x": b"\0" * 5_000 * (number + 1)})
        yield server


def url_of(index: PackageServer, name: str) -> str:
    """A file on a server; what kind it is of does not matter to a model."""
    return index.file_url(f"{name}-1.0-py3-none-any.whl")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init")
    (folder / "requirements.txt").write_text("webapp==1.0\n")
    (folder / ".python-version").write_text("3.12\n")
    return folder


def merge(repo: Path, **files: str) -> None:
    """Commit files to main, and go on in a branch that adds a denied package."""
    for name, text in files.items():
        path = repo / name.replace("__", "/").replace("_toml", ".toml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "base")
    git(repo, "switch", "-qc", "branch")
    (repo / "requirements.txt").write_text("webapp==1.0\nheavy==5.0\n")


def check(index: PackageServer, repo: Path, *more: object, against: str = "main") -> Done:
    flags = ("-i", index.index_url, "--format", "json", "--against", against)
    return slugcheck(repo, *flags, *more)


def verdicts(done: Done) -> dict[str, Any]:
    return {one["budget"]: one for one in done.document["verdicts"]}


# --------------------------------------------------------------------------- whose rules decide


def _loosen(repo: Path) -> None:
    (repo / "slugcheck.toml").write_text('[budgets]\nslug = "700M"\n')


def _delete(repo: Path) -> None:
    (repo / "slugcheck.toml").unlink()


def _move(repo: Path) -> None:
    (repo / "slugcheck.toml").unlink()
    (repo / "pyproject.toml").write_text('[tool.slugcheck.budgets]\nslug = "700M"\n')


def _ignore(repo: Path) -> None:
    (repo / "slugcheck.toml").write_text("[deny]\n")


def _other_platform(repo: Path) -> None:
    (repo / "slugcheck.toml").write_text('platform = "aws-lambda"\n')


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (_loosen, "raises the slug budget from 1M to 700M; in effect once merged"),
        (_delete, "deletes the settings in slugcheck.toml; the settings of main decide until"),
        (_move, "raises the slug budget from 1M to 700M; in effect once merged"),
        (_ignore, "removes the slug budget of 1M; in effect once merged"),
        (_other_platform, "changes platform from the default to aws-lambda; in effect once merged"),
    ],
)
def test_the_settings_of_the_base_decide_and_the_change_of_them_is_told(
    index: PackageServer, repo: Path, change: Callable[[Path], None], note: str
) -> None:
    merge(repo, slugcheck_toml=STRICT)
    change(repo)
    done = check(index, repo)
    assert done.code == 1, done.err
    found = verdicts(done)
    assert (found["slug"]["status"], found["slug"]["limit_text"]) == ("fail", "1M")
    assert found["deny"]["status"] == "fail"
    assert any(note in one for one in done.document["notes"]), done.document["notes"]
    assert check(index, repo, "--settings", "head").code == 0


def test_what_the_base_does_not_ignore_or_allow_is_told_and_not_taken(
    index: PackageServer, repo: Path
) -> None:
    merge(repo)
    (repo / "requirements.txt").write_text("webapp==1.0\n./gone\n")
    (repo / "slugcheck.toml").write_text(
        'allow_unsized = ["gone"]\n[[ignore]]\ncode = "x"\nreason = "r"\nexpires = 2027-01-01\n'
    )
    done = check(index, repo)
    assert done.code == 3
    notes = str(done.document["notes"])
    assert "this change allows gone to have no size; in effect once merged" in notes
    assert "this change ignores x until 2027-01-01; in effect once merged" in notes
    assert check(index, repo, "--settings", "head").code == 0


def test_a_nearer_settings_file_does_not_take_the_place_of_the_bases(
    index: PackageServer, repo: Path
) -> None:
    (repo / "app").mkdir()
    for name in ("requirements.txt", ".python-version"):
        (repo / name).rename(repo / "app" / name)
    (repo / "requirements.txt").write_text("")
    merge(repo, slugcheck_toml=STRICT)
    (repo / "app" / "slugcheck.toml").write_text('[budgets]\nslug = "700M"\n')
    flags = ("-i", index.index_url, "--against", "main", "--format", "json")
    done = slugcheck(repo / "app", *flags)
    assert done.code == 1, done.err
    assert verdicts(done)["slug"]["source"] == "set by main:slugcheck.toml: budgets.slug"


def test_a_settings_file_that_is_named_in_the_checkout_is_that_of_the_base(
    index: PackageServer, repo: Path, tmp_path: Path
) -> None:
    merge(repo, ci__gate_toml=STRICT)
    (repo / "ci" / "gate.toml").write_text('[budgets]\nslug = "700M"\n')
    assert check(index, repo, "--config", repo / "ci" / "gate.toml").code == 1
    mine = tmp_path / "mine.toml"  # outside of it, so the user's own
    mine.write_text('[budgets]\nslug = "700M"\n')
    done = check(index, repo, "--config", mine)
    assert done.code == 0, done.err
    assert "this change" not in str(done.document["notes"])


def test_what_the_command_line_says_counts_for_more(index: PackageServer, repo: Path) -> None:
    merge(repo, slugcheck_toml='[budgets]\nslug = "1M"\n')
    assert check(index, repo, "--limit", "slug=700M").code == 0
    merge_again = check(index, repo, "--limit", "slug=2M")
    assert verdicts(merge_again)["slug"]["limit_text"] == "2M"


def test_a_platform_file_is_that_of_the_base(index: PackageServer, repo: Path) -> None:
    import slugcheck.platforms

    text = (Path(slugcheck.platforms.__file__).parent / "heroku.toml").read_text(encoding="utf-8")
    text = text.replace('name = "heroku"', 'name = "shed"', 1)
    strict = text.replace("value = 524_288_000", "value = 1_000_000", 1)
    merge(repo, slugcheck_toml='platform = "place.toml"\n', place_toml=strict)
    (repo / "place.toml").write_text(text)
    done = check(index, repo)
    assert done.code == 1, done.err
    assert "changes the platform file place.toml" in str(done.document["notes"])


def test_settings_of_a_base_that_cannot_be_read_are_not_passed_over(
    index: PackageServer, repo: Path
) -> None:
    merge(repo, slugcheck_toml="[budgets\n")
    (repo / "slugcheck.toml").write_text('[budgets]\nslug = "700M"\n')
    done = check(index, repo)
    assert (done.code, done.out) == (3, "")
    assert "the settings of main cannot be read: main:slugcheck.toml is not valid TOML" in done.err
    assert "--settings head" in done.err


def test_wrong_settings_of_the_change_are_an_error_and_no_pass(
    index: PackageServer, repo: Path
) -> None:
    merge(repo, slugcheck_toml='[budgets]\nslug = "700M"\n')
    (repo / "slugcheck.toml").write_text("[budgets\n")
    assert check(index, repo).code == 2


@pytest.mark.parametrize("named", ["report.json", "old.txt", "old"])
def test_where_no_revision_is_named_the_changes_own_settings_decide_with_a_word(
    index: PackageServer, repo: Path, tmp_path: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    merge(repo, slugcheck_toml=STRICT)
    Path("old.txt").write_text("webapp==1.0\n")
    Path("old").mkdir()
    Path("old/requirements.txt").write_text("webapp==1.0\n")
    slugcheck("old.txt", "-i", index.index_url, "--output", "report.json")
    _loosen(repo)
    done = check(index, repo, against=named)
    assert done.code == 0, done.err
    assert f"using this change's own settings: {named} is not a revision" in str(
        done.document["notes"]
    )


def test_a_file_of_the_change_does_not_stand_in_for_a_revision(
    index: PackageServer, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge(repo, slugcheck_toml=STRICT)
    _loosen(repo)
    (repo / "main").write_text("heavy==5.0\n")
    (repo / "origin").mkdir()
    (repo / "origin" / "main").write_text(json.dumps({"schema": 1}))
    monkeypatch.chdir(repo)
    assert check(index, Path(), against="main").code == 1
    done = check(index, Path(), against="origin/main")  # not fetched
    assert done.code == 2
    assert "no such file or revision" in done.err


# --------------------------------------------------------------------------- servers


@pytest.mark.parametrize("table", ["slugcheck.toml", "pyproject.toml"])
def test_no_server_is_asked_for_a_model_that_only_the_project_names(
    index: PackageServer, repo: Path, table: str
) -> None:
    url = url_of(index, "new")
    index.forget_hits()
    head = "" if table == "slugcheck.toml" else "[tool.slugcheck]\n"
    (repo / table).write_text(f'{head}models = ["{url}"]\n')
    for more in ((), ("--config", repo / table)):
        done = slugcheck(repo, "-i", index.index_url, *more)
        assert done.code == 2
        assert "is on a server, and slugcheck does not contact" in done.err
        assert "--model" in done.err
        assert "--remote-models" in done.err
    assert not index.hits


@pytest.mark.parametrize(
    "text",
    [
        "http://169.254.169.254/latest/meta-data", "s3://bucket/**", "gs://bucket/x", "S3://b/x",
        "simplecache::s3://bucket/x", "file:///etc/passwd", "ftp://host/x", "hf://org/model",
        "github://o:r@/x", " https://host/x",
    ],
)  # fmt: skip
def test_no_form_of_an_address_gets_through(repo: Path, text: str) -> None:
    (repo / "slugcheck.toml").write_text(f"models = [{json.dumps(text)}]\n")
    done = slugcheck(repo, "--offline")
    assert done.code == 2
    assert "models in slugcheck.toml:" in done.err


def test_models_of_the_base_on_servers_are_asked_for_and_those_of_the_change_are_not(
    index: PackageServer, repo: Path
) -> None:
    old, new = url_of(index, "old"), url_of(index, "new")
    index.forget_hits()
    merge(repo, slugcheck_toml=f'models = ["{old}"]\n')
    (repo / "requirements.txt").write_text("webapp==1.0\n")
    (repo / "slugcheck.toml").write_text(f'models = ["{new}"]\n')
    done = check(index, repo)
    assert done.code == 0, done.err
    assert [one["path"] for one in done.document["models"]] == [old]
    assert not index.hits_of(new.rpartition("/")[2])
    notes = str(done.document["notes"])
    assert f"adds the model {new}; in effect once merged" in notes
    assert f"removes the model {old}; in effect once merged" in notes


def test_the_user_may_allow_the_servers_of_the_settings(index: PackageServer, repo: Path) -> None:
    old = url_of(index, "old")
    (repo / "slugcheck.toml").write_text(f'models = ["{old}"]\n')
    done = slugcheck(repo, "-i", index.index_url, "--remote-models", "--format", "json")
    assert done.code == 0, done.err
    assert [one["path"] for one in done.document["models"]] == [old]


def test_models_in_the_checkout_count_whether_the_base_or_the_change_names_them(
    index: PackageServer, repo: Path
) -> None:
    (repo / "weights").mkdir()
    for name in ("a", "b", "c"):
        (repo / "weights" / name).write_bytes(b"\0" * 1_000)
    merge(repo, slugcheck_toml='models = ["weights/a", "weights/c"]\n')
    (repo / "weights" / "c").unlink()  # with its entry, which is honest
    (repo / "requirements.txt").write_text("webapp==1.0\n")
    (repo / "slugcheck.toml").write_text('models = ["weights/b"]\n')
    done = check(index, repo)
    assert done.code == 0, done.err
    assert [one["path"] for one in done.document["models"]] == ["weights/a", "weights/b"]


# --------------------------------------------------------------------------- paths that moved


def test_a_committed_repository_does_not_stand_in_for_the_checkout(
    index: PackageServer, repo: Path
) -> None:
    merge(repo, sub__slugcheck_toml=STRICT, sub__notes="")
    (repo / "sub" / "requirements.txt").write_text("webapp==1.0\nheavy==5.0\n")
    for name, text in {
        "HEAD": "ref: refs/heads/main\n",
        "config": "[core]\n\tbare = false\n\tworktree = .\n",
        "objects/info/alternates": "../../.git/objects\n",
        "refs/heads/main": subprocess.run(
            ["git", "rev-parse", "branch"], cwd=repo, capture_output=True, text=True, check=True
        ).stdout,
    }.items():
        path = repo / "sub" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = check(index, repo / "sub")
    assert (done.code, done.out) == (2, "")
    assert "no such file or revision" in done.err


def _link(repo: Path) -> None:
    (repo / "sub").rename(repo / "other")
    (repo / "other" / "slugcheck.toml").unlink()
    (repo / "sub").symlink_to("other")


def _file(repo: Path) -> None:
    for path in (repo / "sub").iterdir():
        path.unlink()
    (repo / "sub").rmdir()
    (repo / "sub").write_text("webapp==1.0\nheavy==5.0\n")


def _repository_inside(repo: Path) -> None:
    git(repo / "sub", "init")
    (repo / "sub" / "slugcheck.toml").unlink()
    git(repo / "sub", "add", ".")
    git(repo / "sub", "commit", "-qm", "own")
    git(repo, "rm", "-rq", "--cached", "sub")
    git(repo, "add", "sub")  # a submodule


@pytest.mark.parametrize("move", [_link, _file, _repository_inside])
def test_a_path_that_moved_does_not_leave_the_bases_settings(
    index: PackageServer, repo: Path, move: Callable[[Path], None]
) -> None:
    merge(repo, sub__slugcheck_toml=STRICT)
    (repo / "sub" / "requirements.txt").write_text("webapp==1.0\nheavy==5.0\n")
    move(repo)
    done = check(index, repo / "sub")
    assert (done.code, done.out) == (3, "")
    assert "sub" in done.err


def test_the_changes_own_platform_file_does_not_decide(index: PackageServer, repo: Path) -> None:
    merge(repo, lax__toml="")
    done = check(index, repo, "--platform", repo / "lax.toml")
    assert (done.code, done.out) == (2, "")
    assert "is a file of the change itself" in done.err


def test_a_settings_file_that_became_a_link_does_not_decide(
    index: PackageServer, repo: Path
) -> None:
    merge(repo, gate_toml=STRICT)
    (repo / "gate.toml").rename(repo / "loose.toml")
    (repo / "loose.toml").write_text("")
    (repo / "gate.toml").symlink_to("loose.toml")
    done = check(index, repo, "--config", repo / "gate.toml")
    assert (done.code, done.out) == (2, "")
    assert "leads through a link" in done.err


def test_the_base_is_not_measured_with_a_cache_of_the_change(
    index: PackageServer, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge(repo)
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", str(repo / ".cache"))
    monkeypatch.setenv("UV_CACHE_DIR", str(repo / ".uv"))
    done = check(index, repo)
    assert done.code == 0, done.err
    assert not (repo / ".cache").exists()
    assert not (repo / ".uv").exists()
