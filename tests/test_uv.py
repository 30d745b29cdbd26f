"""What uv says, taken apart; what it is told; and how a run ends when it is interrupted."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slugcheck import platforms
from slugcheck.model import IndexOptions
from slugcheck.packages.resolve.uv import (
    Failure,
    ResolverSettings,
    Uv,
    clean_environment,
    option_lines,
    trusted_indexes,
    understand,
)
from slugcheck.project import target
from slugcheck.running.child import Ended
from tests.support.commands import slugcheck
from tests.support.server import PackageServer

Write = Callable[..., Path]

# Texts of uv 0.13.9, as it wrote them.
NO_WHEEL = """error: No solution found when resolving dependencies
  cause: Because antlr4-python3-runtime>=4.9,<=4.9.3 has no usable wheels and only the following \
versions of antlr4-python3-runtime are available:
             antlr4-python3-runtime<4.9.dev0
             antlr4-python3-runtime>4.10.dev0
         we can conclude that antlr4-python3-runtime==4.9.* cannot be used.
         And because omegaconf==2.3.0 depends on antlr4-python3-runtime==4.9.* and you require \
omegaconf==2.3.0, we can conclude that your requirements are unsatisfiable.

hint: Wheels are required for `antlr4-python3-runtime` because building from source is disabled \
for all packages (i.e., with `--no-build`)
"""
WRONG_TAG = """error: No solution found when resolving dependencies
  cause: Because pywin32==305 has no wheels with a matching platform tag (e.g., \
`manylinux_2_39_x86_64`) and you require pywin32==305, we can conclude that your requirements are \
unsatisfiable.

hint: Wheels are available for `pywin32` (v305) on the following platforms: `win32`, `win_amd64`
"""
CONFLICT = """error: No solution found when resolving dependencies
  cause: Because flask==3.0.0 depends on werkzeug>=3.0.0 and you require flask==3.0.0, we can \
conclude that you require werkzeug>=3.0.0.
         And because you require werkzeug<2, we can conclude that your requirements are \
unsatisfiable.
"""
REFUSED = """error: Failed to fetch: `http://user:s3cret@127.0.0.1:1/simple/x/`
  cause: error sending request for url (http://user:s3cret@127.0.0.1:1/simple/x/)
  cause: tcp connect error
  cause: Connection refused (os error 111)
"""


def test_what_has_no_wheel_is_named_with_what_others_ask_of_it() -> None:
    failure = understand(NO_WHEEL)
    assert failure.without_wheel == ("antlr4-python3-runtime",)
    assert failure.wanted == {"antlr4-python3-runtime": "==4.9.*"}
    assert "building from source is disabled" not in failure.text


def test_wheels_for_another_system_are_no_wheels() -> None:
    assert understand(WRONG_TAG).without_wheel == ("pywin32",)


def test_a_conflict_is_no_want_of_wheels() -> None:
    failure = understand(CONFLICT)
    assert not failure.without_wheel
    assert not failure.unknown
    assert not failure.missing_versions
    assert not failure.network
    assert failure.text.startswith("Because flask==3.0.0 depends on werkzeug>=3.0.0")


def test_missing_versions_and_unknown_names_are_told_apart() -> None:
    text = "error: No solution found\n  cause: Because {} and you require it, we can conclude"
    missing = understand(text.format("there is no version of torch==2.5.1+cpu"))
    assert missing.missing_versions == (("torch", "2.5.1+cpu"),)
    unknown = understand(text.format("No_Such was not found in the package registry"))
    assert unknown.unknown == ("no-such",)


def test_a_network_failure_is_one_and_shows_no_password() -> None:
    failure = understand(REFUSED)
    assert failure.network
    assert "s3cret" not in failure.text


def test_the_users_settings_for_uv_cannot_change_what_is_chosen() -> None:
    kept = clean_environment(
        {
            "PATH": "/bin",
            "UV_CACHE_DIR": "/c",
            "UV_RESOLUTION": "lowest",
            "UV_EXCLUDE_NEWER": "2020-01-01",
            "UV_PYTHON": "3.9",
            "VIRTUAL_ENV": "/v",
        }
    )
    assert kept["UV_CACHE_DIR"] == "/c"
    assert kept["UV_PYTHON_DOWNLOADS"] == "never"
    assert not kept.keys() & {"UV_RESOLUTION", "UV_EXCLUDE_NEWER", "UV_PYTHON", "VIRTUAL_ENV"}


def test_index_urls_are_never_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def record(command: list[str], **_: Any) -> Ended:
        seen.append(command)
        return Ended(code=1, out=b"", err=CONFLICT.encode())

    monkeypatch.setattr("slugcheck.packages.resolve.uv.child.run", record)
    url = "https://user:s3cret@127.0.0.1:9/simple"
    uv = Uv(
        target=target.choose(platforms.load("heroku")),
        options=IndexOptions(index_url=url, extra_index_urls=(url,), find_links=(url,)),
        settings=ResolverSettings(),
    )
    uv.compile(["x"])
    assert len(seen) == 1
    assert "s3cret" not in " ".join(seen[0])


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_with_130_and_leaves_nothing(requirements: Write, tmp_path: Path) -> None:
    left = tmp_path / "temporary"
    left.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        process = subprocess.Popen(
            [sys.executable, "-m", "slugcheck", requirements("webapp\n"), "--index-url", url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "TMPDIR": str(left),
                "SLUGCHECK_CACHE_DIR": str(tmp_path.with_name(f"{tmp_path.name}-c")),
            },
            start_new_session=True,
        )
        silent.settimeout(30)
        connection, _ = silent.accept()  # the resolver is asking, and gets no answer
        with connection:
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    assert list(left.iterdir()) == []


def test_uv_is_found_by_several_threads_at_once(tmp_path: Path) -> None:
    # sysconfig fills its table at its first use, and shows it half filled to a second thread
    program = tmp_path / "several.py"
    program.write_text(
        "import sys, threading\n"
        "from slugcheck.packages.resolve.uv import find_uv\n"
        "sys.setswitchinterval(1e-6)\n"
        "gate, wrong = threading.Barrier(8), []\n"
        "def find():\n"
        "    gate.wait()\n"
        "    try:\n"
        "        find_uv()\n"
        "    except Exception as error:\n"
        "        wrong.append(error)\n"
        "threads = [threading.Thread(target=find) for _ in range(8)]\n"
        "for one in threads: one.start()\n"
        "for one in threads: one.join()\n"
        "sys.exit(repr(wrong) if wrong else 0)\n"
    )
    for _ in range(4):
        command = [sys.executable, str(program)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("named", [False, True], ids=["found by uv", "UV_CONFIG_FILE"])
def test_the_users_own_uv_toml_and_its_password_still_count(
    named: bool, tmp_path: Path, private_caches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PackageServer(auth=("me", "pa55word-of-mine")) as server:
        server.add_wheel("own", "1.0", {"a.py": "1"})
        config = tmp_path / "config" / "uv" / "uv.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f'[[index]]\nname = "corp"\nurl = "{server.index_url}"\ndefault = true\n')
        if named:
            monkeypatch.setenv("UV_CONFIG_FILE", str(config))
        else:
            monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        monkeypatch.setenv("UV_INDEX_CORP_USERNAME", "me")
        monkeypatch.setenv("UV_INDEX_CORP_PASSWORD", "pa55word-of-mine")
        uv = Uv(
            target=target.choose(platforms.load("heroku")),
            options=IndexOptions(),
            settings=ResolverSettings(),
        )
        found = uv.compile(["own"])
    assert not isinstance(found, Failure), found.text
    assert [package.name for package in found.packages] == ["own"]


def trust(*, own: Path | None = None, **options: Any) -> list[str]:
    environ = {"HOME": str(own), "XDG_CONFIG_DIRS": str(own)} if own else {"UV_NO_CONFIG": "1"}
    return trusted_indexes(IndexOptions(**options), environ)


def test_pages_are_trusted_for_minutes_and_files_of_the_default_index_for_ever() -> None:
    url, trusted, default = trust()[1:]
    assert url.startswith('url = "https://')
    assert 'api = "max-age=600"' in trusted
    assert "immutable" in trusted
    assert default == "default = true"
    public, private, main = "https://a.example/", "https://u:p@b.example/", "https://c.example/"
    lines = trust(index_url=main, extra_index_urls=(public, private))
    assert [line for line in lines if "url" in line] == [
        f'url = "{url}"' for url in (public, private, main)
    ]
    seconds = [line.partition('"max-age=')[2].partition('"')[0] for line in lines if "api" in line]
    assert seconds == ["600", "60", "600"]
    assert not any("immutable" in line for line in lines)
    assert trust(no_index=True, index_url=main) == []


def test_which_index_is_the_default_is_left_to_the_users_own_settings(tmp_path: Path) -> None:
    settings = tmp_path / ".config" / "uv" / "uv.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('[[index]]\nurl = "https://own.example/"\ndefault = true\n')
    assert trust(own=tmp_path) == []
    assert "default = true" in trust(own=tmp_path, index_url="https://c.example/")
    for value, default in (("0", False), ("false", False), ("1", True), ("true", True)):
        environ = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path), "UV_NO_CONFIG": value}
        assert ("default = true" in trusted_indexes(IndexOptions(), environ)) is default
    settings.write_text("offline = false\n")
    assert "default = true" in trust(own=tmp_path)


def test_an_index_is_asked_once_until_it_is_to_be_asked_again(requirements: Write) -> None:
    with PackageServer() as server:
        server.add_wheel("own", "1.0", {"a.py": "1"})
        run = (requirements("own\n"), "--index-url", server.index_url, "--format", "json")
        assert slugcheck(*run).one("own")["version"] == "1.0"
        server.forget_hits()
        server.add_wheel("own", "2.0", {"a.py": "1"})
        assert slugcheck(*run).one("own")["version"] == "1.0"
        assert server.hits == ()
        assert slugcheck(*run, "--refresh").one("own")["version"] == "2.0"
    done = slugcheck(*run, "--refresh", "--offline")
    assert (done.code, done.out) == (2, "")
    assert "--refresh asks every one" in done.err


def test_a_uv_toml_of_the_working_folder_counts_nothing(
    requirements: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PackageServer() as server, PackageServer() as other:
        server.add_wheel("own", "1.0", {"a.py": "1"})
        other.add_wheel("own", "6.6", {"a.py": "1"})
        (tmp_path / "uv.toml").write_text(f'[[index]]\nurl = "{other.index_url}"\n')
        monkeypatch.chdir(tmp_path)
        done = slugcheck(requirements("own\n"), "--index-url", server.index_url, "--format", "json")
        assert done.one("own")["version"] == "1.0"
        assert other.hits == ()


def test_uv_gets_no_variable_that_it_could_fill_in(tmp_path: Path) -> None:
    kept = clean_environment(
        {"TOKEN": "x", "AWS_SECRET_ACCESS_KEY": "x", "HTTPS_PROXY": "http://u:p@h", "PATH": "/bin"}
    )
    assert not kept.keys() & {"TOKEN", "AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY"}
    assert (kept["https_proxy"], kept["PATH"]) == ("http://u:p@h", "/bin")
    with_keyring = {"UV_KEYRING_PROVIDER": "subprocess", "AWS_PROFILE": "mine", "TOKEN": "x"}
    assert clean_environment(with_keyring).keys() >= {"AWS_PROFILE", "UV_KEYRING_PROVIDER"}
    assert "TOKEN" not in clean_environment(with_keyring)
    folder = tmp_path / "${TOKEN}"
    lines = option_lines(
        IndexOptions(index_url="https://h.example/${TOKEN}/", find_links=(str(folder),))
    )
    assert lines[0] == "--index-url https://h.example/%24{TOKEN}/"
    assert "$" not in lines[1]
    assert lines[1].startswith("--find-links file:///")
