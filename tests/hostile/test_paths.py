"""Files outside the checkout: whatever a pull request names or links, none of them is printed.

Each kind of file that slugcheck reads of a project leads, in turn, to a secret outside, to a device
without end, to a pipe that nobody writes into, and to a folder.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import stock
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.usefixtures("private_caches", "plain_network")

SECRET = "hunter2-correct-horse"
# as requirements, TOML, JSON, a Procfile and a version file each show a line that they refuse
CONTENT = f"{SECRET} = = =\n[{SECRET}\n"
PYPROJECT = '[project]\nname = "app"\nversion = "1"\n'


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text(CONTENT)
    return folder


@pytest.fixture
def repo(tmp_path: Path, outside: Path) -> Path:
    folder = tmp_path / "work" / "repo"
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "requirements.txt").write_text("webapp==1.0\n")
    (folder / ".python-version").write_text("3.12\n")
    config = folder / ".git" / "config"  # as actions/checkout leaves it
    header = f"\textraheader = AUTHORIZATION: basic {SECRET}\n"
    config.write_text(f'{config.read_text()}[http "https://github.example/"]\n{header}')
    return folder


@pytest.fixture(scope="module")
def index() -> Iterator[PackageServer]:
    with PackageServer() as server:
        server.add_wheel("nltk", "1.0", {"nltk.py": b"x = 1"})
        yield stock.fill(server)


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=n", "-c", "user.email=n@example.org")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def commit(repo: Path) -> None:
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "all", "--allow-empty")


@contextlib.contextmanager
def ends(seconds: int = 30) -> Iterator[None]:
    """Fail where the code inside waits for ever."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def silent(done: Done, *codes: int) -> None:
    """Nothing of the secret shows, and the run does not pass."""
    assert SECRET not in done.out + done.err
    assert "Traceback" not in done.err
    assert done.code in (codes or (2, 3)), done.out + done.err


# --------------------------------------------------------------------------- links of all kinds

LOCKS = {
    "uv.lock": ("pyproject.toml", PYPROJECT),
    "poetry.lock": ("pyproject.toml", PYPROJECT),
    "Pipfile.lock": ("Pipfile", "[packages]\n"),
}


def _plain(name: str) -> Callable[[Path], Path]:
    return lambda repo: repo / name


def _instead(name: str, beside: str, text: str) -> Callable[[Path], Path]:
    def prepare(repo: Path) -> Path:
        (repo / "requirements.txt").unlink()
        (repo / beside).write_text(text)
        return repo / name

    return prepare


def _nltk(repo: Path) -> Path:
    (repo / "requirements.txt").write_text("nltk==1.0\n")
    return repo / "nltk.txt"


def _included(repo: Path) -> Path:
    (repo / "requirements.txt").write_text("webapp==1.0\n-r more.txt\n")
    return repo / "more.txt"


def _constraint(repo: Path) -> Path:
    (repo / "requirements.txt").write_text("webapp==1.0\n-c more.txt\n")
    return repo / "more.txt"


def _platform(repo: Path) -> Path:
    (repo / "slugcheck.toml").write_text('platform = "place.toml"\n')
    return repo / "place.toml"


def _model(repo: Path) -> Path:
    (repo / "slugcheck.toml").write_text('models = ["big.onnx"]\n')
    return repo / "big.onnx"


KINDS: dict[str, Callable[[Path], Path]] = {
    "requirements": _plain("requirements.txt"),
    "an include": _included,
    "a constraint": _constraint,
    "Procfile": _plain("Procfile"),
    "runtime.txt": _plain("runtime.txt"),
    ".python-version": _plain(".python-version"),
    "nltk.txt": _nltk,
    "slugcheck.toml": _plain("slugcheck.toml"),
    "pyproject.toml": _plain("pyproject.toml"),
    "a platform": _platform,
    "a model": _model,
    **{name: _instead(name, *beside) for name, beside in LOCKS.items()},
    **{
        f"{beside} of {name}": _instead(beside, name, "version = 1\n")
        for name, (beside, _) in LOCKS.items()
    },
}


PLACES: dict[str, Callable[[Path, Path], str]] = {
    "a file": lambda _, outside: str(outside / "secret"),
    "a device": lambda *_: "/dev/zero",
    "a relative link": lambda repo, outside: os.path.relpath(outside / "secret", repo),
    "a chain": lambda *_: "first",
    "a linked folder": lambda *_: "beyond/secret",
}
# every kind with a file; the other ways with one that is read early
WAYS = [*((kind, "a file") for kind in KINDS), *(("slugcheck.toml", place) for place in PLACES)]
WAYS += [("an include", "a device"), ("Procfile", "a device")]


@pytest.mark.parametrize(("kind", "place"), WAYS)
def test_a_link_out_of_the_checkout_is_refused_with_the_link_and_without_the_content(
    index: PackageServer, repo: Path, outside: Path, place: str, kind: str
) -> None:
    (repo / "first").symlink_to("second")
    (repo / "second").symlink_to(outside / "secret")
    (repo / "beyond").symlink_to(outside)
    path = KINDS[kind](repo)
    path.unlink(missing_ok=True)
    path.symlink_to(PLACES[place](repo, outside))
    commit(repo)
    done = slugcheck(repo, "-i", index.index_url)
    silent(done)
    assert "lead" in done.err or "is a link out of" in done.err
    assert "out" in done.err


@pytest.mark.parametrize("format_", ["json", "github", "sarif"])
def test_no_form_shows_what_a_linked_procfile_holds(
    index: PackageServer, repo: Path, outside: Path, format_: str
) -> None:
    (repo / "Procfile").symlink_to(outside / "secret")
    commit(repo)
    done = slugcheck(repo, "-i", index.index_url, "--format", format_)
    silent(done, 2)
    assert "Procfile is a link that leads outside the checkout (-> " in done.err


@pytest.mark.parametrize(
    "kind", ["requirements", "an include", "slugcheck.toml", "pyproject.toml", "a model", "uv.lock"]
)
def test_a_pipe_in_the_place_of_a_file_does_not_stall(repo: Path, kind: str) -> None:
    path = KINDS[kind](repo)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    subject = repo / "requirements.txt" if (repo / "requirements.txt").exists() else path
    with ends():
        done = slugcheck(subject, "--offline")
    silent(done, 2)
    assert "a named pipe" in done.err or "not a regular file" in done.err


@pytest.mark.parametrize(
    "name", ["requirements.txt", "slugcheck.toml", "uv.lock", ".python-version"]
)
def test_what_is_no_regular_file_is_said(
    index: PackageServer, repo: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo)  # the name of a socket is short
    Path(name).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(name)
        done = slugcheck(name if name != ".python-version" else "requirements.txt")
    silent(done)
    if name != "slugcheck.toml":
        assert "is a socket, not a regular file" in done.err


# --------------------------------------------------------------------------- lines that name files


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("-r ../../outside/secret", "includes ../../outside/secret, which is outside the checkout"),
        ("-c ../../outside/secret", "which is outside the checkout"),
        ("-r {outside}/secret", "which is outside the checkout"),
        ("-r file://{outside}/secret", "which is outside the checkout"),
        ("-r FILE:{outside}/secret", "which is outside the checkout"),
        ("-r sub/../../../outside/secret", "which is outside the checkout"),
        ("-r .git/config", "which is inside .git, which is never read"),
        ("-r .GIT/config", "which is inside .GIT, which is never read"),
        ("-r sub/../.git/config", "which is inside .git"),
        ("-r git~1/config", "which is inside git~1"),
        ("-r link/secret", "leads outside the checkout (-> "),
        ("-r into/config", "is inside .git"),
        ("-r /dev/stdin", "which is outside the checkout"),
        ("-r /proc/self/environ", "which is outside the checkout"),
    ],
)
def test_an_include_may_not_leave_the_checkout(
    repo: Path, outside: Path, line: str, why: str
) -> None:
    (repo / "sub").mkdir()
    (repo / "link").symlink_to(outside)
    (repo / "into").symlink_to(".git")
    (repo / "requirements.txt").write_text(f"webapp==1.0\n\n{line.format(outside=outside)}\n")
    done = slugcheck(repo / "requirements.txt")
    silent(done, 2)
    assert "requirements.txt:3 includes " in done.err
    assert why in done.err


def test_includes_within_one_checkout_still_count(index: PackageServer, repo: Path) -> None:
    (repo / "base.txt").write_text("light==1.1\n")
    (repo / "apps" / "a").mkdir(parents=True)
    (repo / "apps" / "a" / "requirements.txt").write_text("-r ../../base.txt\n-r again.txt\n")
    (repo / "apps" / "a" / "again.txt").symlink_to("../../requirements.txt")
    flags = ("-i", index.index_url, "--python", "3.12", "--format", "json")
    done = slugcheck(repo / "apps/a/requirements.txt", *flags)
    assert done.code == 0, done.err
    assert {"light", "webapp"} <= {one["name"] for one in done.document["distributions"]}


def test_without_git_a_file_may_include_what_is_below_its_folder_or_the_current_one(
    index: PackageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = tmp_path / "app"
    (app / "reqs").mkdir(parents=True)
    (app / "base.txt").write_text("light==1.1\n")
    (app / "reqs" / "prod.txt").write_text("-r ../base.txt\n")
    flags = ("-i", index.index_url, "--python", "3.12")
    assert slugcheck(app / "reqs" / "prod.txt", *flags).code == 2
    monkeypatch.chdir(app)
    done = slugcheck("reqs/prod.txt", *flags)
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    "line",
    [
        "{outside}/pkg", "-e {outside}/pkg", "-e ../../outside/pkg", "./link/pkg", "-e link/pkg",
        "pkg @ file://{outside}/pkg", "file://{outside}/{wheel}", "../../outside/{wheel}",
        "./{wheel}",
    ],
)  # fmt: skip
def test_a_line_neither_reads_a_package_outside_nor_says_whether_it_is_there(
    index: PackageServer, repo: Path, outside: Path, line: str
) -> None:
    wheel = make_wheel("pkg", "9.9", {"pkg/x.py": b"x" * 100}, requires=["light"])
    (repo / "link").symlink_to(outside)
    said = []
    for there in (True, False):
        for name in ("pkg", wheel.filename):
            if not there:
                subprocess.run(["rm", "-r", outside / name], check=True)
        if there:
            (outside / "pkg").mkdir()
            (outside / "pkg" / "pyproject.toml").write_text(
                f'[project]\nname = "pkg"\nversion = "9.9"\ndescription = "{SECRET}"\n'
                'dependencies = ["light"]\n[build-system]\nrequires = ["flit"]\n'
            )
            (outside / wheel.filename).write_bytes(wheel.content)
            (repo / wheel.filename).symlink_to(outside / wheel.filename)
        text = line.format(outside=outside, wheel=wheel.filename)
        (repo / "requirements.txt").write_text(f"webapp==1.0\n{text}\n")
        done = slugcheck(repo / "requirements.txt", "-i", index.index_url, "--format", "json")
        silent(done, 2, 3)
        assert '"name": "light"' not in done.out
        document = done.document if done.out else {"unsized": done.err}
        said.append(document["unsized"])
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "line",
    [
        "--find-links {outside}", "--find-links ../../outside", "-f file://{outside}", "-f link",
        "--index-url {outside}", "--extra-index-url file://{outside}", "-f wheels",
    ],
)  # fmt: skip
def test_places_of_packages_may_not_lie_outside(
    index: PackageServer, repo: Path, outside: Path, line: str
) -> None:
    wheel = make_wheel("hidden", "1.0", {"hidden/x.py": b"x" * 100})
    (outside / wheel.filename).write_bytes(wheel.content)
    (repo / "link").symlink_to(outside)
    (repo / "wheels").mkdir()
    (repo / "wheels" / wheel.filename).symlink_to(outside / wheel.filename)
    text = f"{line.format(outside=outside)}\nhidden==1.0\n"
    (repo / "requirements.txt").write_text(text)
    done = slugcheck(repo, "--python", "3.12")
    silent(done, 2)
    assert "outside" in done.err
    assert "requirements.txt:1" in done.err


@pytest.mark.parametrize("option", ["--find-links", "--index-url"])
@pytest.mark.parametrize("way", ["{long}", "loop/../../..", "%00/../../..", "link/../../.."])
def test_a_file_url_means_to_the_resolver_what_was_checked(
    index: PackageServer, repo: Path, outside: Path, option: str, way: str
) -> None:
    wheel = make_wheel("hidden", "7.7.7", {"hidden.py": b""}, requires=["only-there"])
    (outside / wheel.filename).write_bytes(wheel.content)
    (repo / "s b").mkdir()
    (repo / "loop").symlink_to("loop")
    (repo / "deep" / "er" / "folder").mkdir(parents=True)
    (repo / "link").symlink_to("deep/er/folder")
    place = way.format(long="s b/../" * 700 + "../..") + "/outside"
    line = f"{option} 'file://{repo}/{place}'"
    (repo / "requirements.txt").write_text(f"{line}\nwebapp==1.0\nhidden\n")
    own = "--index-url" if option == "--find-links" else "--extra-index-url"
    done = slugcheck(repo / "requirements.txt", own, index.index_url)
    silent(done, 2, 3)
    assert "7.7.7" not in done.out + done.err
    assert "only-there" not in done.out + done.err


def test_a_way_through_what_is_there_or_not_looks_alike(index: PackageServer, repo: Path) -> None:
    (repo / "more.txt").write_text("webapp==1.0\n")
    said = []
    for folder in ("etc/passwd", "etc/nothing"):
        way = f"/{folder}/../..{repo}/more.txt"
        (repo / "requirements.txt").write_text(f"-r {way}\n")
        done = slugcheck(repo / "requirements.txt", "-q", "--index-url", index.index_url)
        said.append((done.code, done.out, done.err.replace(folder, "")))
    assert said[0] == said[1]
    assert said[0][0] == 0


def test_the_users_own_folder_of_wheels_may_be_anywhere(
    index: PackageServer, repo: Path, outside: Path
) -> None:
    wheel = make_wheel("hidden", "1.0", {"hidden/x.py": b"x" * 100})
    (outside / wheel.filename).write_bytes(wheel.content)
    (repo / "requirements.txt").write_text("hidden==1.0\nwebapp==1.0\n")
    done = slugcheck(repo, "-i", index.index_url, "-f", outside, "--format", "json")
    assert done.code == 0, done.err
    assert done.one("hidden")["version"] == "1.0"


@pytest.mark.parametrize("path", ["{outside}/{wheel}", "file://{outside}/{wheel}", "{wheel}"])
def test_a_lock_may_not_name_files_outside(repo: Path, outside: Path, path: str) -> None:
    wheel = make_wheel("hidden", "1.0", {f"hidden/{SECRET}.py": b"x" * 100})
    (outside / wheel.filename).write_bytes(wheel.content)
    (repo / wheel.filename).symlink_to(outside / wheel.filename)
    place = path.format(outside=outside, wheel=wheel.filename)
    key = "url" if "://" in place else "path"
    (repo / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "hidden"\nversion = "1.0"\n'
        f'[[packages.wheels]]\n{key} = "{place}"\nhashes = {{ sha256 = "{wheel.sha256}" }}\n'
    )
    done = slugcheck(repo / "pylock.toml", "--format", "json")
    silent(done, 3)
    assert "outside the checkout" in done.document["unsized"][0]["reason"]


def test_chains_of_includes_end(repo: Path) -> None:
    for number in range(400):
        (repo / f"r{number}.txt").write_text(f"-r r{number + 1}.txt\n")
    (repo / "requirements.txt").write_text("-r r0.txt\n")
    done = slugcheck(repo / "requirements.txt")
    silent(done, 2)
    assert "nested more than 50 deep" in done.err


def test_the_files_that_are_included_are_counted(repo: Path) -> None:
    (repo / "requirements.txt").write_text("".join(f"-r w{n}.txt\n" for n in range(1_001)))
    for number in range(1_001):
        (repo / f"w{number}.txt").touch()
    done = slugcheck(repo / "requirements.txt")
    silent(done, 2)
    assert "more than 1,000 files are included" in done.err


@pytest.mark.parametrize(
    ("name", "size"),
    [("requirements.txt", 5), ("slugcheck.toml", 2), (".python-version", 1), ("Procfile", 2)],
)
def test_a_file_that_is_larger_than_any_real_one_is_refused(
    index: PackageServer, repo: Path, name: str, size: int
) -> None:
    (repo / name).write_bytes(b"#" * size * 10**6 + b"\n")
    commit(repo)
    done = slugcheck(repo, "-i", index.index_url)
    silent(done, 2)
    assert f"{name} is larger than" in done.err


# --------------------------------------------------------------------------- what is named


@pytest.mark.parametrize("name", ["requirements.txt", "pylock.toml", "uv.lock"])
def test_a_named_file_of_a_checkout_that_is_a_link_out_of_it_is_refused(
    repo: Path, outside: Path, name: str
) -> None:
    (repo / name).unlink(missing_ok=True)
    (repo / name).symlink_to(outside / "secret")
    done = slugcheck(repo / name)
    silent(done, 2)
    assert f"{name} is a link that leads outside the checkout (-> " in done.err


def test_no_report_that_is_named_leads_out_of_its_checkout(
    index: PackageServer, repo: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("report.md", "base.json", "bench.json"):
        (repo / name).symlink_to(outside / "secret")
    monkeypatch.chdir(repo)
    for arguments in (
        ("comment", "report.md"),
        (".", "-i", index.index_url, "--against", "base.json"),
        ("compare", "base.json", "."),
        ("compare", ".", ".", "--bench", "bench.json"),
    ):
        done = slugcheck(*arguments)
        silent(done, 2)
        assert "is a link that leads outside the checkout" in done.err


def test_a_named_folder_of_a_checkout_that_is_a_link_out_of_it_is_refused(
    repo: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")  # a checkout too
    (other / "requirements.txt").write_text(f"{SECRET} = = =\n")
    (repo / "services").symlink_to(other)
    for path in ("services", "services/requirements.txt"):
        done = slugcheck(repo / path)
        silent(done, 2)
        assert "leads outside the checkout" in done.err


def test_a_way_to_the_checkout_may_lead_through_links(
    index: PackageServer, repo: Path, tmp_path: Path
) -> None:
    (tmp_path / "short").symlink_to(repo)
    for path in ("short", "short/requirements.txt"):
        done = slugcheck(tmp_path / path, "-i", index.index_url)
        assert done.code == 0, done.err


def test_standard_input_is_read_where_the_user_names_it(index: PackageServer, repo: Path) -> None:
    command = [sys.executable, "-m", "slugcheck", "/dev/stdin", "-i", index.index_url]
    done = subprocess.run(
        [*command, "--python", "3.12"],
        input="webapp==1.0\n", capture_output=True, text=True, cwd=repo, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", ["-r -", "-c -"])
@pytest.mark.parametrize("named", [".", "requirements.txt"])
def test_a_line_cannot_read_standard_input(repo: Path, line: str, named: str) -> None:
    (repo / "requirements.txt").write_text(f"{line}\nwebapp==1.0\n")
    done = subprocess.run(
        [sys.executable, "-m", "slugcheck", named, "--offline"],
        input=CONTENT, capture_output=True, text=True, cwd=repo, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "requirements.txt:1: the included - does not exist" in done.stderr
    assert SECRET not in done.stdout + done.stderr


# --------------------------------------------------------------------------- what is there


def told_of(index: PackageServer, repo: Path) -> Iterator[str]:
    commit(repo)
    done = slugcheck(repo, "-i", index.index_url, "--format", "json")
    silent(done, 0, 2, 3)
    yield done.err.replace("\n", " ")
    yield str(done.document["notes"]) if done.out else ""


@pytest.mark.parametrize("name", ["bin/pre_compile", "venv/pyvenv.cfg", "package.json", "a.onnx"])
def test_whether_a_file_outside_is_there_does_not_show(
    index: PackageServer, repo: Path, outside: Path, name: str
) -> None:
    link = repo / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside / "secret")
    before = [*told_of(index, repo)]
    (outside / "secret").unlink()
    assert [*told_of(index, repo)] == before


def test_a_poetry_project_cannot_ask_for_files_outside(repo: Path, outside: Path) -> None:
    said = []
    for path in (outside / "secret", outside / "nothing"):
        (repo / "requirements.txt").unlink(missing_ok=True)
        (repo / "poetry.lock").write_text("")
        (repo / "pyproject.toml").write_text(
            '[project]\nname = "app"\nversion = "1"\ndependencies = []\n'
            f'readme = "{os.path.relpath(path, repo)}"\n'
        )
        commit(repo)
        done = slugcheck(repo)
        silent(done, 3)
        said.append(done.err.replace("nothing", "secret"))
    assert said[0] == said[1]


# --------------------------------------------------------------------------- models


@pytest.mark.parametrize(
    "text",
    [
        "../../outside/*", "{outside}/*", "{outside}/big.onnx", "link/*", "l*k/*", "link",
        "~/x.onnx", "in/../../../outside/big.onnx", ".git/*", "in/**",
    ],
)  # fmt: skip
def test_models_of_the_settings_lie_in_the_checkout(
    index: PackageServer, repo: Path, outside: Path, text: str
) -> None:
    (repo / "link").symlink_to(outside)
    (repo / "in").mkdir()
    (repo / "in" / "deep").symlink_to(outside)
    settings = f'models = ["{text.format(outside=outside)}"]\n'
    (repo / "slugcheck.toml").write_text(settings)
    said = []
    for there in (True, False):
        if there:
            (outside / "big.onnx").write_bytes(os.urandom(70_000))
        else:
            (outside / "big.onnx").unlink()
        done = slugcheck(repo, "-i", index.index_url, "--format", "json")
        silent(done, 2)
        assert "70000" not in done.out + done.err
        said.append(done.err)
    assert said[0] == said[1]


def test_a_model_that_the_user_names_in_the_checkout_may_not_lead_out_but_others_may_be_anywhere(
    index: PackageServer, repo: Path, outside: Path
) -> None:
    (outside / "big.onnx").write_bytes(os.urandom(70_000))
    (repo / "big.onnx").symlink_to(outside / "big.onnx")
    flags = ("-i", index.index_url, "--format", "json", "--model")
    done = slugcheck(repo, *flags, repo / "big.onnx")
    silent(done, 2)
    assert "leads outside the checkout" in done.err
    done = slugcheck(repo, *flags, outside / "big.onnx")
    assert [one["bytes"] for one in done.document["models"]] == [70_000]


def test_a_linked_model_weighs_as_the_link_that_git_stores(
    index: PackageServer, repo: Path, outside: Path
) -> None:
    (outside / "big.onnx").write_bytes(os.urandom(70_000))
    (repo / "big.onnx").symlink_to(outside / "big.onnx")
    commit(repo)
    done = slugcheck(repo, "-i", index.index_url, "--format", "json")
    assert done.code == 0, done.err
    assert done.document["models"] == []
    assert done.document["totals"]["app_bytes"] < 1_000
    assert "model files" not in str(done.document["notes"])
