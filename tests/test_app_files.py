"""The app's own files: which of them a push brings, and what they take in the slug."""

from __future__ import annotations

import gzip
import io
import os
import random
import shutil
import socket
import subprocess
import tarfile
from pathlib import Path

import pytest

from slugcheck.errors import MeasureError, UsageError
from slugcheck.model import AppFiles
from slugcheck.project import archive, files
from slugcheck.project.archive import Member
from slugcheck.project.files import Listing, listing
from tests.support.users import as_nobody

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

POINTER_OF_12_MB = len(
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:" + 64 * "0" + "\n"
    "size 12000000\n"
)  # fmt: skip


def git(folder: Path, *arguments: str) -> None:
    """Run git as a user would, without this machine's configuration."""
    settings = (
        "-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false",
        "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always",
    )  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    subprocess.run(
        ["git", *settings, *arguments],
        cwd=folder,
        env={**environment, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
        check=True,
        capture_output=True,
        timeout=60,
    )


@pytest.fixture(autouse=True)
def _only_these_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


def write(folder: Path, contents: dict[str, str | bytes]) -> Path:
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def repository(folder: Path, contents: dict[str, str | bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    write(folder, contents)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "-qm", "all", "--allow-empty")


def paths(found: Listing) -> list[str]:
    return [member.path for member in found.files]


def said(found: Listing | AppFiles) -> str:
    return "\n".join(found.notes)


def measured(found: Listing, *models: str) -> AppFiles:
    return files.measure(found, lambda path: path in models)


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


APP: dict[str, str | bytes] = {"app.py": "print()\n", "requirements.txt": "flask\n"}


# --------------------------------------------------------------------------- what is tracked


def test_only_what_git_tracks_is_counted(tmp_path: Path) -> None:
    app = repository(tmp_path, {**APP, ".gitignore": "*.log\n"})
    write(app, {"notes.md": "x", "data/more.md": "x", "debug.log": "x" * 100})
    found = listing(app)
    assert paths(found) == [".gitignore", "app.py", "requirements.txt"]
    assert found.tracked
    assert "not counted: 2 files not tracked by git: data/more.md and notes.md" in said(found)
    assert found.absent("notes.md") == "git does not track it"
    assert found.absent("debug.log") == "git does not track it"
    assert found.absent("app.py") is None


def test_a_clean_checkout_has_nothing_to_note(tmp_path: Path) -> None:
    assert listing(repository(tmp_path, APP)).notes == ()


def test_a_changed_file_counts_as_it_is_in_the_folder(tmp_path: Path) -> None:
    app = repository(tmp_path, APP)
    write(app, {"app.py": "x" * 5000})
    found = listing(app)
    assert found.checkout_bytes == 5000 + len("flask\n")
    assert "1 file with uncommitted changes, counted as in the folder: app.py" in said(found)


def test_a_file_that_is_only_added_is_counted_and_noted(tmp_path: Path) -> None:
    app = repository(tmp_path, APP)
    write(app, {"new.py": "x"})
    git(app, "add", "new.py")
    found = listing(app)
    assert "new.py" in paths(found)
    assert "1 file with uncommitted changes" in said(found)


def test_a_tracked_file_that_is_deleted_is_noted(tmp_path: Path) -> None:
    app = repository(tmp_path, APP)
    (app / "app.py").unlink()
    found = listing(app)
    assert paths(found) == ["requirements.txt"]
    assert "1 tracked file missing here, but still deployed unless you commit the deletion" in said(
        found
    )
    assert found.absent("app.py") == "git tracks it, but it is missing from the folder"


def test_a_repository_without_a_commit_counts_what_is_added(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    write(tmp_path, {**APP, "later.py": "x"})
    git(tmp_path, "add", "app.py")
    found = listing(tmp_path)
    assert paths(found) == ["app.py"]
    assert "nothing is committed yet" in said(found)


def test_a_repository_without_files_counts_what_git_add_would_take(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    write(tmp_path, {**APP, ".gitignore": "*.log\n", "debug.log": "x"})
    found = listing(tmp_path)
    assert paths(found) == [".gitignore", "app.py", "requirements.txt"]
    assert not found.tracked
    assert "git tracks no files here yet" in said(found)


def test_a_virtual_environment_in_a_repository_without_files_is_left_out(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    write(tmp_path, {**APP, ".venv/pyvenv.cfg": "home = /usr\n"})
    found = listing(tmp_path)
    assert paths(found) == ["app.py", "requirements.txt"]
    assert ".venv/ (a virtual environment" in said(found)


def test_caches_in_many_folders_are_one_item_of_the_note(tmp_path: Path) -> None:
    write(tmp_path, {f"d{number}/__pycache__/m.pyc": "x" for number in range(5)})
    assert "__pycache__/ in 5 folders (a cache each, <0.1 MB)" in said(listing(tmp_path))


def test_an_empty_repository_has_nothing_to_note(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert listing(tmp_path).notes == ()


def test_an_empty_folder_has_no_files_and_no_size(tmp_path: Path) -> None:
    app = measured(listing(tmp_path))
    assert (app.files, app.bytes, app.slug_bytes, app.folders) == (0, 0, 0, ())


def test_a_folder_of_a_checkout_counts_what_is_below_it(tmp_path: Path) -> None:
    repository(tmp_path, {"other/big.py": "x" * 9000, **{f"web/{k}": v for k, v in APP.items()}})
    found = listing(tmp_path / "web")
    assert paths(found) == ["app.py", "requirements.txt"]
    assert "treating this subfolder as the deploy root: web/ of its git checkout" in said(found)


def test_changes_elsewhere_in_the_checkout_are_not_the_folders(tmp_path: Path) -> None:
    repository(tmp_path, {"app.py": "x", "web/app.py": "x"})
    write(tmp_path, {"app.py": "changed", "new.py": "x"})
    assert "differ" not in said(listing(tmp_path / "web"))


def test_a_folder_that_git_ignores_counts_all_its_files(tmp_path: Path) -> None:
    repository(tmp_path, {"app.py": "x", ".gitignore": "build/\n"})
    write(tmp_path / "build", APP)
    found = listing(tmp_path / "build")
    assert paths(found) == ["app.py", "requirements.txt"]
    assert "git tracks no files here and .gitignore matches all" in said(found)


def test_a_worktree_is_a_checkout(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", APP)
    git(app, "worktree", "add", "-q", str(tmp_path / "tree"))
    found = listing(tmp_path / "tree")
    assert found.tracked
    assert paths(found) == ["app.py", "requirements.txt"]


def test_a_git_file_that_leads_nowhere_is_noted(tmp_path: Path) -> None:
    write(tmp_path, {**APP, ".git": "gitdir: /nowhere/at/all\n"})
    found = listing(tmp_path)
    assert paths(found) == ["app.py", "requirements.txt"]
    assert ".git is not a repository" in said(found)


def test_files_of_submodules_count(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", {"lib/core.py": "x" * 700})
    app = repository(tmp_path / "app", APP)
    git(app, "submodule", "add", "-q", str(inner), "vendor/inner")
    commit(app)
    found = listing(app)
    assert "vendor/inner/lib/core.py" in paths(found)
    assert measured(found).checkout_bytes == sum(member.size for member in found.files)
    assert found.notes == ()


def test_a_submodule_that_is_not_checked_out_is_noted(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", {"core.py": "x"})
    app = repository(tmp_path / "app", APP)
    git(app, "submodule", "add", "-q", str(inner), "vendor/inner")
    commit(app)
    git(app, "submodule", "--quiet", "deinit", "-f", "vendor/inner")
    assert "submodule vendor/inner, which is empty here" in said(listing(app))


def test_a_repository_inside_that_is_no_submodule_is_noted(tmp_path: Path) -> None:
    app = repository(tmp_path, APP)
    repository(app / "inner", {"core.py": "x"})
    found = listing(app)
    assert "inner/core.py" not in paths(found)
    assert "inner (a git repository that is not a submodule)" in said(found)


def test_another_repository_in_the_environment_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = repository(tmp_path / "other", {"other.py": "x"})
    app = repository(tmp_path / "app", APP)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert paths(listing(app)) == ["app.py", "requirements.txt"]


def test_no_program_that_a_checkout_names_is_run(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", {**APP, ".gitattributes": "*.py filter=evil diff=evil\n"})
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
    program.chmod(0o755)
    keys = (
        "core.fsmonitor", "filter.evil.clean", "filter.evil.process", "core.sshCommand",
        "diff.evil.textconv", "diff.evil.command", "diff.external", "core.pager",
    )  # fmt: skip
    for key in keys:
        git(app, "config", key, str(program))
    git(app, "config", "filter.evil.required", "true")
    hook = app / ".git" / "hooks" / "post-index-change"
    hook.parent.mkdir(exist_ok=True)
    shutil.copy(program, hook)
    write(app, {"app.py": "PRINT()\n"})  # of the same length: git must compare the contents
    found = listing(app)
    assert "app.py" in paths(found)
    assert not ran.exists()


def test_reading_writes_nothing_into_the_repository(tmp_path: Path) -> None:
    app = repository(tmp_path, APP)
    os.utime(app / "app.py", (1, 1))  # git status would now refresh the index
    index = app / ".git" / "index"
    before = index.read_bytes()
    listing(app)
    assert index.read_bytes() == before


def test_without_git_installed_all_files_count_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = repository(tmp_path, APP)
    write(app, {"untracked.py": "x"})
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    found = listing(app)
    assert "untracked.py" in paths(found)
    assert "git is not installed" in said(found)
    assert not found.tracked


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_checkout_of_another_user_is_an_error_that_says_how_to_trust_it(tmp_path: Path) -> None:
    app = repository(tmp_path / "app", APP)
    for path in (app, app / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(MeasureError, match="belongs to another user") as caught:
        listing(app)
    assert str(caught.value.hint).startswith("trust it with: git config --global")


def test_a_broken_repository_is_an_error_without_a_traceback(tmp_path: Path) -> None:
    app = repository(tmp_path, APP)
    write(app, {".git/index": b"broken"})
    with pytest.raises(MeasureError, match=r"git cannot read .*index"):
        listing(app)


def test_a_file_instead_of_a_folder_is_a_usage_error(tmp_path: Path) -> None:
    write(tmp_path, APP)
    with pytest.raises(UsageError, match="is not a folder"):
        listing(tmp_path / "app.py")


# --------------------------------------------------------------------------- odd files


def test_a_name_with_a_line_break_or_odd_bytes_is_read(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9.txt")
    app = repository(tmp_path, {"two\nlines.txt": "x", odd: "yy", "tab\t'\"\\.txt": "z"})
    found = listing(app)
    assert sorted(paths(found)) == sorted(["two\nlines.txt", odd, "tab\t'\"\\.txt"])
    assert measured(found).bytes == 4


def test_links_are_stored_and_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"outside/secret.txt": "x" * 10_000})
    app = repository(tmp_path / "app", APP)
    (app / "out").symlink_to(tmp_path / "outside")
    (app / "code").symlink_to("app.py")
    (app / "gone").symlink_to("nowhere")
    commit(app)
    found = listing(app)
    assert {member.path: member.link for member in found.files if member.link} == {
        "out": str(tmp_path / "outside"), "code": "app.py", "gone": "nowhere",
    }  # fmt: skip
    assert measured(found).bytes == sum(len(text) for text in APP.values())


def test_a_tracked_folder_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"outside/core.py": "x" * 10_000})
    app = repository(tmp_path / "app", {**APP, "lib/core.py": "x"})
    shutil.rmtree(app / "lib")
    (app / "lib").symlink_to(tmp_path / "outside")
    found = listing(app)
    assert paths(found) == ["app.py", "requirements.txt"]
    assert "lib/core.py" in said(found)


def test_git_lfs_files_count_as_the_pointers_that_heroku_gets(tmp_path: Path) -> None:
    app = repository(tmp_path, {**APP, ".gitattributes": "*.onnx filter=lfs -text\n"})
    write(app, {"model.onnx": bytes(12_000_000)})
    committed = (
        f"version https://git-lfs.github.com/spec/v1\\noid sha256:{64 * 'a'}\\nsize 12000000\\n"
    )
    clean = f"filter.lfs.clean=cat > /dev/null; printf '{committed}'"  # as git-lfs does
    git(app, "-c", clean, "add", "model.onnx")
    found = listing(app)
    pointer = next(member for member in found.files if member.path == "model.onnx")
    assert pointer.size == POINTER_OF_12_MB
    assert measured(found).bytes < 1000
    assert found.lfs == {"model.onnx"}
    assert "1 file in Git LFS, which Heroku does not fetch" in said(found)


def test_git_lfs_files_count_whole_where_no_buildpack_builds(tmp_path: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{64 * 'a'}\nsize 9\n"
    app = repository(tmp_path, {".gitattributes": "*.dat filter=lfs\n", "m.dat": pointer})
    (app / "m.dat").write_bytes(b"weights" * 1_000)
    counted = listing(app, buildpack=None)
    assert {member.size for member in counted.files if member.path == "m.dat"} == {7_000}
    assert "1 file in Git LFS, counted as in the folder" in said(counted)
    assert max(member.size for member in listing(app).files) < 200


def test_an_attribute_alone_makes_no_git_lfs_pointer(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {".gitattributes": "*.dat filter=lfs\n", "big.dat": "x" * 5_000}
    found = listing(repository(tmp_path, files))  # the whole file is what is committed
    assert found.lfs == frozenset()
    assert found.checkout_bytes == sum(map(len, files.values()))


def test_a_git_lfs_pointer_that_was_not_fetched_counts_as_it_is(tmp_path: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{64 * 'a'}\nsize 9\n"
    app = repository(tmp_path, {".gitattributes": "*.onnx filter=lfs\n", "model.onnx": pointer})
    found = listing(app)
    assert found.checkout_bytes == len(pointer) + len("*.onnx filter=lfs\n")


def test_pipes_and_sockets_are_noted_and_never_opened(tmp_path: Path) -> None:
    app = write(tmp_path / "app", APP)
    os.mkfifo(app / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(app)  # the path of a socket may have some hundred bytes only
        try:
            server.bind("socket")
        finally:
            os.chdir(here)
        found = listing(app)
    assert paths(found) == ["app.py", "requirements.txt"]
    assert "not counted: pipes, sockets and devices: pipe and socket" in said(found)


def test_a_tracked_file_that_became_a_pipe_is_not_opened(tmp_path: Path) -> None:
    app = repository(tmp_path, APP)
    (app / "app.py").unlink()
    os.mkfifo(app / "app.py")
    found = listing(app)
    assert measured(found).files == 1
    assert "app.py" in said(found)


def test_a_file_that_goes_away_is_an_error_that_names_it(tmp_path: Path) -> None:
    found = listing(write(tmp_path, APP))
    (tmp_path / "app.py").unlink()
    with pytest.raises(MeasureError, match=r"app\.py cannot be read"):
        measured(found)


def test_a_file_that_grows_meanwhile_is_an_error(tmp_path: Path) -> None:
    found = listing(write(tmp_path, APP))
    write(tmp_path, {"app.py": "x" * 1000})
    with pytest.raises(MeasureError, match=r"app\.py changed while it was read"):
        measured(found)


@pytest.mark.parametrize(("tracked", "named"), [(False, "closed"), (True, "closed/x")])
def test_an_unreadable_folder_is_an_error_that_names_it(tracked: bool, named: str) -> None:
    contents: dict[str, str | bytes] = {**APP, "closed/x": "x"}
    with as_nobody() as folder:
        if tracked:
            repository(folder, contents)
        else:
            write(folder, contents)
        (folder / "closed").chmod(0)
        try:
            with pytest.raises(MeasureError) as raised:
                listing(folder)
        finally:
            (folder / "closed").chmod(0o755)
    assert str(raised.value) == f"{folder}/{named} cannot be read: Permission denied"


def test_a_slugignore_that_may_not_be_read_is_an_error() -> None:
    with as_nobody() as folder:
        write(folder, {**APP, ".slugignore": "docs\n"})
        (folder / ".slugignore").chmod(0)
        with pytest.raises(MeasureError, match=r"/\.slugignore cannot be read: Permission denied$"):
            listing(folder)


# --------------------------------------------------------------------------- without git


def test_without_git_local_junk_is_left_out_and_named(tmp_path: Path) -> None:
    write(tmp_path, {
        **APP, "env/pyvenv.cfg": "home = /usr\n", "env/lib/big.so": bytes(3_000_000),
        "pkg/__pycache__/a.pyc": "x", "node_modules/x/i.js": "x", "pkg/core.py": "x",
    })  # fmt: skip
    found = listing(tmp_path)
    assert paths(found) == ["app.py", "pkg/core.py", "requirements.txt"]
    assert "not normally committed: env/ (a virtual environment, 3.0 MB)" in said(found)
    assert "node_modules/" in said(found)
    assert found.absent("env/pyvenv.cfg") == "a virtual environment is skipped without git"


def test_a_folder_that_is_only_called_env_counts(tmp_path: Path) -> None:
    write(tmp_path, {**APP, "env/settings.py": "x"})
    assert "env/settings.py" in paths(listing(tmp_path))


def test_a_committed_virtual_environment_counts(tmp_path: Path) -> None:
    app = repository(tmp_path, {**APP, ".venv/pyvenv.cfg": "home = /usr\n"})
    found = listing(app)
    assert found.absent(".venv/pyvenv.cfg") is None
    assert found.absent(".venv") is None


def test_what_is_nowhere_is_absent_with_that_reason(tmp_path: Path) -> None:
    assert listing(write(tmp_path, APP)).absent("Procfile") == "it does not exist"


# --------------------------------------------------------------------------- .slugignore


def test_slugignore_removes_from_the_slug_but_not_from_the_checkout(tmp_path: Path) -> None:
    app = repository(tmp_path, {**APP, ".slugignore": "docs\n*.txt\n", "docs/a.pdf": noise(5000)})
    found = listing(app)
    sizes = measured(found)
    assert paths(found) == [".slugignore", "app.py"]
    assert (sizes.ignored_files, sizes.ignored_bytes) == (2, 5000 + len("flask\n"))
    assert sizes.checkout_bytes == sizes.bytes + sizes.ignored_bytes
    assert found.absent("requirements.txt") == ".slugignore removes it (line 2: *.txt)"
    assert found.absent("docs") == ".slugignore removes it (line 1: docs)"


def test_a_slugignore_that_git_does_not_track_has_no_effect(tmp_path: Path) -> None:
    app = repository(tmp_path, APP)
    write(app, {".slugignore": "app.py\n"})
    found = listing(app)
    assert "app.py" in paths(found)
    assert ".slugignore has no effect: git does not track it" in said(found)


def test_slugignore_notes_reach_the_user(tmp_path: Path) -> None:
    app = repository(tmp_path, {**APP, ".slugignore": "!app.py\n"})
    assert "does not support negation" in said(measured(listing(app)))


def test_slugignore_reaches_into_submodules(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", {"docs/a.md": "x", "core.py": "x"})
    app = repository(tmp_path / "app", {**APP, ".slugignore": "docs"})
    git(app, "submodule", "add", "-q", str(inner), "inner")
    commit(app)
    found = listing(app)
    assert "inner/core.py" in paths(found)
    assert "inner/docs/a.md" not in paths(found)


def test_a_slugignore_that_links_outside_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, {"rules": "app.py\n"})
    app = repository(tmp_path / "app", APP)
    (app / ".slugignore").symlink_to("../rules")
    commit(app)
    found = listing(app)
    assert "app.py" in paths(found)
    assert ".slugignore is ignored" in said(found)


def test_tmp_is_counted_and_the_doubt_is_said(tmp_path: Path) -> None:
    app = repository(tmp_path, {**APP, "tmp/cache.bin": noise(2000), "img/.DS_Store": "x"})
    found = listing(app)
    assert "tmp/cache.bin" in paths(found)
    assert "tmp/ is counted (1 file, <0.1 MB)" in said(found)
    assert ".DS_Store is counted" in said(found)


# --------------------------------------------------------------------------- the sizes


def tar_gzipped(contents: dict[str, bytes]) -> int:
    """The size of a gzip -6 tar that the standard library writes to memory."""
    folders = sorted({"app", *(
        f"app/{name[:at]}" for name in contents for at, c in enumerate(name) if c == "/"
    )})  # fmt: skip
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in folders:
            info = tarfile.TarInfo(f"./{name}/")
            info.type, info.mode, info.uname, info.gname = tarfile.DIRTYPE, 0o755, "root", "root"
            tar.addfile(info)
        for name, content in sorted(contents.items()):
            info = tarfile.TarInfo(f"./app/{name}")
            info.size, info.uname, info.gname = len(content), "root", "root"
            tar.addfile(info, io.BytesIO(content))
    return len(gzip.compress(buffer.getvalue(), 6))


def mixed() -> dict[str, bytes]:
    words = [f"word{number}" for number in range(300)]
    chosen = random.Random(2)
    text = " ".join(chosen.choice(words) for _ in range(400_000)).encode()
    return {
        "data/table.csv": text,
        "img/photo.jpg": noise(1_500_000),
        **{f"src/m{number}.py": text[number * 997 :][:3000] for number in range(200)},
    }


@pytest.fixture(scope="module")
def mixed_app(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    contents = mixed()
    return write(tmp_path_factory.mktemp("mixed"), dict(contents)), contents


def test_the_slug_size_is_that_of_one_gzip_tar(mixed_app: tuple[Path, dict[str, bytes]]) -> None:
    folder, contents = mixed_app
    assert measured(listing(folder)).slug_bytes == pytest.approx(tar_gzipped(contents), rel=0.002)


@pytest.mark.skipif(
    not (shutil.which("tar") and shutil.which("gzip")), reason="tar and gzip are not installed"
)
def test_the_slug_size_is_that_of_real_tar_and_gzip(
    mixed_app: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    folder, _ = mixed_app
    (tmp_path / "app").symlink_to(folder)
    # in the same order: neighbours shrink each other
    names = "\n".join(f"./app/{member.path}" for member in listing(folder).files)
    tar = subprocess.run(
        ["tar", "-c", "-h", "-C", str(tmp_path), "-T", "-"],
        input=names.encode(), capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    real = subprocess.run(
        ["gzip", "-6"], input=tar.stdout, capture_output=True, check=True, timeout=60
    )
    assert measured(listing(folder)).slug_bytes == pytest.approx(len(real.stdout), rel=0.003)


def test_folders_and_rest_add_up_to_the_slug(mixed_app: tuple[Path, dict[str, bytes]]) -> None:
    app = measured(listing(mixed_app[0]))
    assert sum(folder.slug_bytes for folder in app.folders) == app.slug_bytes
    assert sum(folder.bytes for folder in app.folders) == app.bytes


def test_a_folders_share_is_what_its_own_files_deflate_to(
    mixed_app: tuple[Path, dict[str, bytes]],
) -> None:
    app = measured(listing(mixed_app[0]))
    shares = {folder.path: folder.slug_bytes for folder in app.folders}
    assert shares["img/"] == pytest.approx(1_500_000, rel=0.01)
    assert shares["data/"] == pytest.approx(
        archive.deflated(mixed_app[0] / "data/table.csv"), rel=0.02
    )


def test_model_files_are_in_the_checkout_only(tmp_path: Path) -> None:
    app = repository(tmp_path, {**APP, "models/a.onnx": noise(50_000)})
    sizes = measured(listing(app), "models/a.onnx")
    assert sizes.files == 2
    assert sizes.slug_bytes < 1000
    assert "models/" not in {folder.path for folder in sizes.folders}
    assert sizes.checkout_bytes == sizes.bytes + 50_000


def test_a_folder_gives_way_to_the_one_in_it_that_is_nearly_all_of_it(tmp_path: Path) -> None:
    write(tmp_path, {
        "static/img/big/a.png": noise(90_000), "static/img/big/b.png": noise(60_000, 2),
        "static/style.css": "x" * 100, "docs/a.pdf": noise(20_000, 3),
        "docs/more/b.pdf": noise(20_000, 4), "app.py": "x",
    })  # fmt: skip
    rows = [folder.path for folder in measured(listing(tmp_path)).folders]
    assert rows == ["static/img/big/", "docs/", "app.py"]


def test_at_most_eight_folders_are_named(tmp_path: Path) -> None:
    write(tmp_path, {f"d{number}/x": noise(1000, number) for number in range(12)})
    assert len(measured(listing(tmp_path)).folders) == 8


def test_progress_is_told_of_every_byte(mixed_app: tuple[Path, dict[str, bytes]]) -> None:
    told: list[int] = []
    files.measure(listing(mixed_app[0]), lambda _: False, told.append)
    assert sum(told) >= sum(len(content) for content in mixed_app[1].values())
    assert len(told) > 2


def test_long_paths_and_links_are_packed(tmp_path: Path) -> None:
    name = "/".join(["d" * 50] * 6) + "/file.txt"
    members = [
        Member(path=name, disk=write(tmp_path, {name: "x"}) / name, size=1, executable=True),
        Member(path="link", disk=tmp_path / "link", size=0, link="t" * 300),
    ]
    size = archive.gzipped_tar(members)
    assert sum(size.shares) == size.total > 200


def test_a_file_that_became_a_pipe_is_an_error_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MeasureError, match="changed while it was read"):
        archive.gzipped_tar([Member(path="pipe", disk=tmp_path / "pipe", size=10)])


def test_deflated_is_the_size_of_one_raw_stream(tmp_path: Path) -> None:
    content = mixed()["data/table.csv"]
    write(tmp_path, {"table.csv": content})
    whole = len(gzip.compress(content, 6)) - 18
    assert archive.deflated(tmp_path / "table.csv") == pytest.approx(whole, rel=0.001)


def test_deflated_of_nothing_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match="nothing cannot be read"):
        archive.deflated(tmp_path / "nothing")
