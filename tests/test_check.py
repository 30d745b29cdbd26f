"""The main job end to end: the command line against a local index that serves real wheels."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.commands import slugcheck
from tests.support.server import PackageServer, Quirk
from tests.support.wheels import make_sdist

ENTRY_HEAD = len(b"slugcheck\2") + 32  # of a cache entry: its format and checksum
Write = Callable[..., Path]
NATIVE = "cp312-cp312-manylinux_2_17_x86_64"


@pytest.fixture(scope="module")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests: uv keys it by index URL, and asking the interpreter takes a second."""
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture(autouse=True)
def own_caches(
    tmp_path: Path, uv_cache: Path, plain_network: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", str(tmp_path.with_name(f"{tmp_path.name}-cache")))
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")


@pytest.fixture
def index(package_server: PackageServer) -> PackageServer:
    """A web app, its framework, a native library, and something that needs both."""
    server = package_server
    server.add_wheel("framework", "2.0", {"framework/__init__.py": "x = 1\n" * 200})
    server.add_wheel(
        "webapp",
        "1.0",
        {"webapp/__init__.py": "y = 2\n" * 100, "webapp/data.bin": bytes(range(256)) * 400},
        requires=("framework>=1", "speedups ; extra == 'fast'"),
        extras={"fast": ("speedups",)},
        entry_points={"console_scripts": {"webapp": "webapp:main"}},
    )
    server.add_wheel("speedups", "3.1", {"speedups.so": b"\x7fELF" + bytes(50_000)}, tag=NATIVE)
    server.add_wheel("admin", "0.5", {"admin.py": "z = 3\n"}, requires=("framework",))
    return server


def check(server: PackageServer, path: Path, *more: str) -> tuple[str, ...]:
    index = ("--index-url", server.index_url)
    return (str(path), "--python", "3.12", *index, "--format", "json", *more)


def test_a_file_that_fits_exits_0_with_every_distribution_sized(
    index: PackageServer, requirements: Write
) -> None:
    done = slugcheck(*check(index, requirements("webapp[fast]==1.0\nadmin\n")))
    assert done.code == 0, done.err
    assert {d["name"] for d in done.document["distributions"]} == {
        "webapp", "framework", "speedups", "admin",
    }  # fmt: skip
    assert done.one("framework")["required_by"] == ["admin", "webapp"]
    assert done.one("webapp")["extras"] == ["fast"]
    assert done.document["target"]["python_full"].startswith("3.12.")
    assert done.err == ""


def test_each_small_wheel_takes_one_request_and_a_second_run_none(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements("webapp==1.0\n")
    first = slugcheck(*check(index, path)).document["transfer"]
    assert first["requests"] == 2
    for wheel in ("webapp-1.0-py3-none-any.whl", "framework-2.0-py3-none-any.whl"):
        assert len(index.ranges_of(wheel)) == 1
    second = slugcheck(*check(index, path)).document["transfer"]
    assert (second["requests"], second["cached"]) == (0, 2)


def test_a_budget_that_is_exceeded_exits_1_and_says_by_how_much(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements("webapp==1.0\n")
    done = slugcheck(*check(index, path, "--limit", "slug=1M"))
    assert done.code == 1
    verdict = next(v for v in done.document["verdicts"] if v["budget"] == "slug")
    assert verdict["status"] == "fail"
    assert "18.3M over" in verdict["sentence"]


def test_exclusive_and_shared_sizes_add_up_to_the_whole(
    index: PackageServer, requirements: Write
) -> None:
    done = slugcheck(*check(index, requirements("webapp==1.0\nadmin==0.5\n")))
    roots = {root["name"]: root for root in done.document["roots"]}
    size = {d["name"]: d["installed_bytes"] for d in done.document["distributions"]}
    assert roots["webapp"]["exclusive_bytes"] == size["webapp"]
    assert roots["webapp"]["shared_bytes"] == roots["admin"]["shared_bytes"] == size["framework"]
    whole = sum(root["exclusive_bytes"] for root in roots.values()) + size["framework"]
    assert whole == done.document["totals"]["installed_bytes"]


def test_lines_that_cannot_be_sized_are_named_and_the_rest_is_measured(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements(
        "webapp==1.0\n"
        "git+https://127.0.0.1:9/team/tool.git@main#egg=tool\n"
        "certifi @ file:///croot/certifi_1/certifi\n"
    )
    done = slugcheck(*check(index, path))
    assert done.code == 3
    assert {(u["name"], u["origin"]["line"]) for u in done.document["unsized"]} == {
        ("tool", 2), ("certifi", 3),
    }  # fmt: skip
    assert done.one("webapp")["installed_bytes"] > 100_000
    named = ("--allow-unsized", "tool", "--allow-unsized", "certifi")
    allowed = slugcheck(*check(index, path, *named))
    assert allowed.code == 0
    assert len(allowed.document["unsized"]) == 2
    assert slugcheck(*check(index, path, "--allow-unsized", "all")).code == 0


def test_a_known_part_beyond_the_limit_fails_whatever_is_unsized(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements("webapp==1.0\ngit+https://127.0.0.1:9/x.git#egg=x\n")
    assert slugcheck(*check(index, path, "--limit", "slug=1M")).code == 1


def test_markers_are_judged_for_the_target(index: PackageServer, requirements: Write) -> None:
    path = requirements(
        'webapp==1.0\nadmin ; sys_platform == "win32"\nspeedups ; python_version < "3.11"\n'
    )
    done = slugcheck(*check(index, path))
    assert {d["name"] for d in done.document["distributions"]} == {"webapp", "framework"}
    assert any("admin" in note and "speedups" in note for note in done.document["notes"])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le-bom"])
def test_encodings_line_ends_and_includes(
    index: PackageServer, requirements: Write, encoding: str
) -> None:
    requirements("-c limits.txt\nadmin\n", "more/base.txt")
    requirements("framework<3\n", "more/limits.txt")
    text = "# a comment\r\n-r more/base.txt\r\nwebapp[fast] == \\\r\n    1.0"
    marked = encoding == "utf-16-le-bom"
    data = b"\xff\xfe" + text.encode("utf-16-le") if marked else text.encode(encoding)
    done = slugcheck(*check(index, requirements(data)))
    assert done.code == 0, done.err
    assert done.one("admin")["origins"][0]["file"].endswith("more/base.txt")
    assert done.one("admin")["origins"][0]["line"] == 2


def test_hashes_choose_among_the_files(index: PackageServer, requirements: Write) -> None:
    archive = index.add_wheel("pinned", "1.0", {"pinned.py": "a = 1\n"})
    good = requirements(f"pinned==1.0 \\\n    --hash=sha256:{archive.sha256}\n")
    assert slugcheck(*check(index, good)).one("pinned")["sha256"] == archive.sha256
    bad = requirements(f"pinned==1.0 --hash=sha256:{'0' * 64}\n")
    done = slugcheck(*check(index, bad))
    assert (done.code, done.out) == (3, "")
    assert "hash" in done.err


def test_a_wheel_by_url_and_one_by_path(index: PackageServer, requirements: Write) -> None:
    url = index.file_url("webapp-1.0-py3-none-any.whl")
    local = index.add_wheel("local", "4.0", {"local.py": "b = 1\n"}, requires=("framework",))
    requirements(local.content, f"wheels/{local.filename}")
    path = requirements(f"{url}\n./wheels/{local.filename}\n")
    done = slugcheck(*check(index, path))
    assert done.code == 0, done.err
    assert done.one("webapp")["direct"]
    assert done.one("local")["via"] == "local"
    assert done.one("framework")["required_by"] == ["local", "webapp"]


def test_find_links_and_a_local_version(index: PackageServer, requirements: Write) -> None:
    torch = index.add_wheel(
        "torch", "2.5.1+cpu", {"torch/__init__.py": "t = 1\n"},
        tag="cp312-cp312-linux_x86_64", requires=("framework",),
    )  # fmt: skip
    requirements(torch.content, f"wheels/{torch.filename}")
    with PackageServer() as empty:
        empty.add(index._files["framework-2.0-py3-none-any.whl"].archive)
        path = requirements("torch==2.5.1+cpu\n")
        done = slugcheck(*check(empty, path))
        assert (done.code, done.out) == (3, "")
        assert f"none of the file's indexes has {path}:1 torch==2.5.1+cpu" in done.err
        assert "--extra-index-url https://download.pytorch.org/whl/cpu" in done.err
        found = slugcheck(*check(empty, path, "--find-links", str(path.parent / "wheels")))
        assert found.code == 0, found.err
    assert found.one("torch")["version"] == "2.5.1+cpu"


def test_an_extra_index_is_looked_at_like_the_first(
    index: PackageServer, requirements: Write
) -> None:
    with PackageServer() as other:
        other.add_wheel("framework", "9.0", {"framework.py": "new = 1\n"})
        path = requirements(f"--extra-index-url {other.index_url}\nframework\n")
        done = slugcheck(*check(index, path))
    assert done.one("framework")["version"] == "9.0"


def test_a_pylock_is_read_as_it_stands(index: PackageServer, requirements: Write) -> None:
    archive = index._files["webapp-1.0-py3-none-any.whl"].archive
    lock = requirements(
        'lock-version = "1.0"\ncreated-by = "test"\n\n[[packages]]\nname = "webapp"\n'
        'version = "1.0"\n[[packages.wheels]]\n'
        f'url = "{index.file_url(archive.filename)}"\nsize = {len(archive.content)}\n'
        f'hashes = {{ sha256 = "{archive.sha256}" }}\n\n'
        '[[packages]]\nname = "win"\nversion = "1"\nmarker = "sys_platform == \'win32\'"\n'
        '[[packages.wheels]]\nurl = "http://127.0.0.1:9/win-1-py3-none-any.whl"\n'
        f'hashes = {{ sha256 = "{archive.sha256}" }}\n',
        "pylock.toml",
    )
    done = slugcheck(*check(index, lock))
    assert done.code == 0, done.err
    assert [d["name"] for d in done.document["distributions"]] == ["webapp"]
    assert done.document["subject"]["kind"] == "pylock"


# --------------------------------------------------------------------------- source archives

CANARY = "import pathlib\npathlib.Path({place!r}).write_text('ran')\nfrom setuptools import setup\n"


def test_a_source_archive_is_sized_without_running_it(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    place = tmp_path / "canary"
    index.add_sdist(
        "oldstyle", "1.2",
        {"oldstyle/__init__.py": "def f():\n    return 1\n" * 50,
         "oldstyle.egg-info/top_level.txt": "oldstyle\n",
         "oldstyle.egg-info/SOURCES.txt": "setup.py\noldstyle/__init__.py\n"},
        requires_txt="framework\n",
        setup_py=CANARY.format(place=str(place)) + "setup(name='oldstyle', version='1.2')\n",
    )  # fmt: skip
    for line in ("oldstyle==1.2", "oldstyle", "oldstyle[all]>=1"):
        done = slugcheck(*check(index, requirements(f"{line}\n")))
        assert done.code == 0, done.err
        assert done.one("oldstyle")["source_build"]["native"] is False
        assert done.one("framework")["required_by"] == ["oldstyle"]
    assert not place.exists()


def test_a_source_archive_that_is_required_with_a_marker_is_sized(
    index: PackageServer, requirements: Write
) -> None:
    setup_py = "from setuptools import setup\nsetup(name='aged', version='0.1.2')\n"
    index.add_sdist("aged", "0.1.2", {"aged.py": "x = 1\n"}, setup_py=setup_py)
    index.add_wheel(
        "serve", "1.0", {"serve.py": ""}, requires=("aged==0.1.* ; sys_platform != 'win32'",)
    )
    done = slugcheck(*check(index, requirements("serve==1.0\n")))
    assert done.code == 0, done.document["obstacles"]
    assert done.one("aged")["required_by"] == ["serve"]


def test_a_source_archive_of_an_old_form_is_sized(
    index: PackageServer, requirements: Write
) -> None:
    files = {"aged/__init__.py": "x = 1\n" * 50}
    setup_py = (
        "from setuptools import setup\nsetup(name='aged', version='16.2', packages=['aged'])\n"
    )
    index.add_sdist("aged", "16.2", files, setup_py=setup_py, kind="tar.bz2")
    done = slugcheck(*check(index, requirements("aged==16.2\n")))
    assert done.code == 0, done.err
    assert done.one("aged")["filename"] == "aged-16.2.tar.bz2"


def test_a_version_that_the_name_of_a_source_archive_writes_otherwise_is_read(
    index: PackageServer, requirements: Write
) -> None:
    files = {"posted.py": "x = 1\n" * 900}
    setup_py = "from setuptools import setup\nsetup(name='posted', py_modules=['posted'])\n"
    made = make_sdist("posted", "3.2.3.post2", files, setup_py=setup_py)
    index.add(made._replace(filename="posted-3.2.3-2.tar.gz"))
    done = slugcheck(*check(index, requirements("posted==3.2.3.post2\n")))
    assert done.code == 0, done.err
    assert done.one("posted")["filename"] == "posted-3.2.3-2.tar.gz"


def test_pip_would_take_a_newer_source_archive_and_so_do_we(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("drifts", "1.0", {"drifts.py": "a = 1\n"})
    index.add_sdist(
        "drifts", "2.0", {"drifts.py": "a = 2\n"}, requires_txt="",
        setup_py="from setuptools import setup\nsetup(name='drifts', py_modules=['drifts'])\n",
    )  # fmt: skip
    index.add_wheel("parent", "1.0", {"parent.py": ""}, requires=("drifts",))
    for line in ("drifts", "parent"):  # as a direct requirement, and behind another one
        done = slugcheck(*check(index, requirements(f"{line}\n")))
        assert done.one("drifts")["version"] == "2.0", done.err
        assert done.one("drifts")["source_build"] is not None


def test_native_code_is_sized_from_the_nearest_wheel(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel(
        "fastlib", "1.0", {"fastlib.so": b"\x7fELF" + bytes(90_000)},
        tag="cp311-cp311-manylinux_2_17_x86_64",
    )  # fmt: skip
    index.add_sdist(
        "fastlib", "1.0", {"fastlib.c": "int x;\n"}, requires_txt="",
        setup_py="from setuptools import Extension, setup\n"
        "setup(name='fastlib', ext_modules=[Extension('fastlib', ['fastlib.c'])])\n",
    )  # fmt: skip
    done = slugcheck(*check(index, requirements("fastlib==1.0\n")))
    assert done.code == 0, done.err
    found = done.one("fastlib")
    assert "cp311" in found["source_build"]["method"]
    assert found["source_build"]["nearest"].startswith("fastlib-1.0-cp311")
    assert found["basis"] == "predicted"
    assert found["installed_bytes"] > 90_000
    finding = next(f for f in done.document["findings"] if f["code"] == "built-from-source")
    assert "3.11" in finding["fix"]


def test_a_pin_for_windows_is_set_aside_with_the_line_that_mends_it(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("pywin32", "305", {"win32.pyd": b"MZ"}, tag="cp312-cp312-win_amd64")
    done = slugcheck(*check(index, requirements("webapp==1.0\npywin32==305\n")))
    assert done.code == 1  # pip would fail
    assert "Windows only" in done.document["unsized"][0]["reason"]
    finding = next(f for f in done.document["findings"] if f["code"] == "other-system")
    assert finding["fix"] == 'pywin32==305 ; sys_platform == "win32"'


def test_an_option_that_pip_ignores_is_said(index: PackageServer, requirements: Write) -> None:
    path = requirements("webapp --index-url http://127.0.0.1:9/simple\n")
    done = slugcheck(*check(index, path))
    assert done.code == 0, done.err
    assert any("--index-url" in note for note in done.document["notes"])


def test_no_binary_sizes_the_source_archive(index: PackageServer, requirements: Write) -> None:
    index.add_wheel("both", "1.0", {"both.py": "a = 1\n"})
    index.add_sdist(
        "both", "1.0", {"both.py": "a = 1\n"}, requires_txt="",
        setup_py="from setuptools import setup\nsetup(name='both', py_modules=['both'])\n",
    )  # fmt: skip
    wheel = slugcheck(*check(index, requirements("both==1.0\n")))
    assert wheel.one("both")["filename"].endswith(".whl")
    source = slugcheck(*check(index, requirements("--no-binary both\nboth==1.0\n")))
    assert source.one("both")["filename"].endswith(".tar.gz")


def test_the_apps_own_setuptools_takes_the_place_of_the_platforms(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("setuptools", "80.0", {"setuptools/__init__.py": "s = 1\n"})
    parts = slugcheck(*check(index, requirements("setuptools\n"))).document["parts"]
    assert [part["name"].split()[0] for part in parts] == ["Python", "pip"]


def test_a_newest_wheel_whose_dependency_is_source_only_is_not_passed_over(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("parent", "1.0", {"parent.py": ""})
    index.add_wheel("parent", "2.0", {"parent.py": ""}, requires=("sourceonly==4.9",))
    index.add_sdist(
        "sourceonly", "4.9", {"sourceonly.py": "a = 2\n"}, requires_txt="",
        setup_py="from setuptools import setup\nsetup(py_modules=['sourceonly'])\n",
    )  # fmt: skip
    index.add_wheel("top", "1.0", {"top.py": ""}, requires=("parent",))
    for line in ("parent", "top"):
        done = slugcheck(*check(index, requirements(f"{line}\n")))
        assert done.one("parent")["version"] == "2.0", done.err
        assert done.one("sourceonly")["source_build"] is not None


def test_a_hash_of_the_source_archive_makes_pip_build_and_us_size_it(
    index: PackageServer, requirements: Write
) -> None:
    setup_py = "from setuptools import setup\nsetup(name='x', py_modules=['both'])\n"
    index.add_wheel("both", "1.0", {"both.py": "a = 1\n"})
    both = index.add_sdist(
        "both", "1.0", {"both.py": "a = 1\n"}, requires_txt="", setup_py=setup_py
    )
    alone = index.add_sdist(
        "alone", "1.0", {"both.py": "a = 1\n"}, requires_txt="", setup_py=setup_py
    )
    lines = [f"{a.filename[:-11]}==1.0 --hash=sha256:{a.sha256}\n" for a in (both, alone)]
    done = slugcheck(*check(index, requirements("".join(lines))))
    assert done.code == 0, done.err
    assert {d["filename"] for d in done.document["distributions"]} == {
        both.filename, alone.filename,
    }  # fmt: skip
    wrong = slugcheck(*check(index, requirements(f"alone==1.0 --hash=sha256:{'1' * 64}\n")))
    assert (wrong.code, wrong.out) == (3, "")
    assert "none of the hashes for alone" in wrong.err


def test_a_wheel_by_path_whose_version_is_not_normal_is_measured_itself(
    index: PackageServer, requirements: Write
) -> None:
    odd = index.add_wheel("odd", "1.00", {"odd.bin": bytes(range(256)) * 4000})
    requirements(odd.content, odd.filename)
    done = slugcheck(*check(index, requirements(f"./{odd.filename}\n")))
    assert done.one("odd")["installed_bytes"] > 1_000_000


def test_two_urls_that_end_alike_are_both_listed(index: PackageServer, requirements: Write) -> None:
    urls = [f"{index.url}/{folder}/main.zip\n" for folder in "ab"]
    done = slugcheck(*check(index, requirements("webapp==1.0\n" + "".join(urls))))
    assert [u["origin"]["line"] for u in done.document["unsized"]] == [2, 3]


def test_an_index_from_the_environment_serves_resolver_and_reader_alike(
    requirements: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PackageServer(auth=("user", "env-secret")) as server:
        server.add_wheel("private", "1.0", {"private.py": "p = 1\n"})
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", server.index_url_with_credentials)
        with PackageServer() as empty:
            path = requirements("private\n")
            done = slugcheck(*check(empty, path))
    assert done.code == 0, done.err
    assert done.one("private")["via"] == "range"
    assert "env-secret" not in done.out + done.err


@pytest.mark.parametrize("url", ["notaurl", "http://bob:a/b@127.0.0.1:9/simple"])
def test_an_index_url_that_is_none_is_a_usage_error_and_shows_no_password(
    requirements: Write, url: str
) -> None:
    for arguments in (
        (requirements("webapp\n"), "--index-url", url),
        (requirements(f"--index-url {url}\nwebapp\n"),),
    ):
        done = slugcheck(*arguments, "--python", "3.12")
        assert (done.code, done.out) == (2, "")
        assert "a/b" not in done.err


def test_a_wrong_password_is_not_an_unknown_package(requirements: Write) -> None:
    with PackageServer(auth=("user", "right")) as server:
        server.add_wheel("private", "1.0", {"private.py": ""})
        url = server.index_url_with_credentials.replace("right", "wr0ng")
        done = slugcheck(requirements(f"--index-url {url}\nprivate\n"), "--python", "3.12")
    assert (done.code, done.out) == (3, "")
    assert "401" in done.err
    assert "wr0ng" not in done.err


def test_a_locks_roots_are_what_nobody_needs(index: PackageServer, requirements: Write) -> None:
    entries = []
    for name in ("webapp-1.0", "framework-2.0"):
        archive = index._files[f"{name}-py3-none-any.whl"].archive
        entries.append(
            f'[[packages]]\nname = "{name.split("-")[0]}"\nversion = "{name.split("-")[1]}"\n'
            f'[[packages.wheels]]\nurl = "{index.file_url(archive.filename)}"\n'
            f'hashes = {{ sha256 = "{archive.sha256}" }}\n'
        )
    text = 'lock-version = "1.0"\ncreated-by = "test"\n\n' + "\n".join(entries)
    done = slugcheck(*check(index, requirements(text, "pylock.toml")))
    assert {d["name"]: d["direct"] for d in done.document["distributions"]} == {
        "webapp": True, "framework": False,
    }  # fmt: skip
    assert [root["name"] for root in done.document["roots"]] == ["webapp"]


def test_a_damaged_cache_is_read_anew(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    path = requirements("webapp\n")
    first = slugcheck(*check(index, path))
    for entry in tmp_path.with_name(f"{tmp_path.name}-cache").rglob("*"):
        if entry.is_file():
            entry.write_bytes(zlib.compress(b'{"at": null, "stand-ins": [3], "maker": 1}'))
    second = slugcheck(*check(index, path))
    assert second.code == first.code == 0, second.err
    assert second.document["totals"] == first.document["totals"]


# --------------------------------------------------------------------------- no dependencies


@pytest.mark.parametrize("text", ["", "# nothing\n\n", "--pre\n"])
def test_an_empty_file_is_a_project_without_dependencies(
    index: PackageServer, requirements: Write, text: str
) -> None:
    path = requirements(text)
    done = slugcheck(path, "--python", "3.12")
    assert done.code == 0, done.err
    assert "no dependencies · " in done.out
    assert done.out.startswith("✓ FITS Heroku: ")
    totals = slugcheck(path, "--python", "3.12", "--format", "json").document["totals"]
    assert totals["distributions"] == 0
    assert totals["all_installed_bytes"] == totals["runtime_bytes"] > 0
    assert index.hits == ()


def test_nothing_on_a_pipe_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    done = slugcheck("-")
    assert (done.code, done.out) == (2, "")
    assert "<stdin> contains no requirements" in done.err


# --------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("webapp==1.0\nfoo bar baz\n", 2, "requirements.txt:2"),
        ("-r missing.txt\n", 2, "missing.txt"),
        (b"\x00\x01\x02binary\x00", 2, "text"),
        ("nosuchthing\n", 3, "nosuchthing"),
        ("nosuchthing\nnorthis\n", 3, "and 1 more"),
    ],
)
def test_bad_input_is_one_clear_error_and_stdout_stays_empty(
    index: PackageServer, requirements: Write, text: str | bytes, code: int, said: str
) -> None:
    done = slugcheck(*check(index, requirements(text)))
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_what_the_build_time_assumes_is_said(index: PackageServer, requirements: Write) -> None:
    path = requirements("webapp==1.0\n")
    done = slugcheck(*check(index, path, "--verbose"))
    assert done.document["assumptions"]
    assert all(text in done.err for text in done.document["assumptions"])


def test_no_argument_shows_the_help() -> None:
    done = slugcheck()
    assert done.code == 2
    assert done.out.startswith("Usage: slugcheck")
    assert done.err == ""


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    (tmp_path / "requirements-prod.txt").write_text("x\n")
    missing = slugcheck(tmp_path / "nope.txt")
    assert (missing.code, missing.out) == (2, "")
    folder = slugcheck(tmp_path)
    assert (folder.code, folder.out) == (3, "")
    assert "requirements-prod.txt is not read by default" in folder.err
    assert f"slugcheck {tmp_path / 'requirements-prod.txt'}" in folder.err


def test_usage_mistakes_exit_2_before_any_request(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements("webapp\n")
    for more in (
        ("--platform", "herok"), ("--stack", "heroku-18"), ("--python", "latest"),
        ("--dyno", "huge"), ("--limit", "slug=much"), ("--limit", "slugs=1M"), ("--wrong",),
    ):  # fmt: skip
        done = slugcheck(*check(index, path), *more)
        assert (done.code, done.out) == (2, ""), more
        assert done.err.startswith("error:")
    assert index.hits == ()


@pytest.mark.parametrize(
    ("quirk", "said"),
    [(Quirk.UNAUTHORIZED, "401"), (Quirk.FORBIDDEN, "403"), (Quirk.ERROR_ALWAYS, "index")],
)
def test_an_index_that_refuses(
    index: PackageServer, requirements: Write, quirk: Quirk, said: str
) -> None:
    index.default_quirk = quirk
    done = slugcheck(*check(index, requirements("webapp\n")))
    assert (done.code, done.out) == (3, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_an_index_that_is_not_there(requirements: Write) -> None:
    path = requirements("webapp\n")
    done = slugcheck(path, "--python", "3.12", "--index-url", "http://127.0.0.1:9/simple/")
    assert (done.code, done.out) == (3, "")
    assert "refused" in done.err
    assert "hint:" in done.err


@pytest.mark.parametrize("quirk", [Quirk.NOT_FOUND, Quirk.TRUNCATED])
def test_a_wheel_that_cannot_be_read_is_unsized_with_its_reason(
    index: PackageServer, requirements: Write, quirk: Quirk
) -> None:
    index.set_quirk("webapp-1.0-py3-none-any.whl", quirk)
    done = slugcheck(*check(index, requirements("webapp==1.0\nadmin\n")))
    assert done.code == 3
    assert [u["name"] for u in done.document["unsized"]] == ["webapp"]
    assert done.one("admin")["installed_bytes"] > 0


def test_retries_are_no_news(requirements: Write, private_caches: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and never listens
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/a-1.0-py3-none-any.whl"
        command = [sys.executable, "-m", "slugcheck", str(requirements(f"a @ {url}\n"))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == ""
    assert "cannot be reached" in done.stdout


def test_credentials_reach_the_index_and_nothing_else(requirements: Write, tmp_path: Path) -> None:
    with PackageServer(auth=("user", "s3cret-word")) as server:
        server.add_wheel("private", "1.0", {"private.py": "p = 1\n"})
        path = requirements(f"--index-url {server.index_url_with_credentials}\nprivate\n")
        shown = [
            slugcheck(path, "--python", "3.12", "--format", shape)
            for shape in ("json", "table", "markdown")
        ]
        assert [done.code for done in shown] == [0, 0, 0], shown[0].err
        server.set_quirk("private", Quirk.NOT_FOUND)
        shown.append(slugcheck(path, "--python", "3.12", "--no-cache"))
    everything = "".join(done.out + done.err for done in shown)
    assert "s3cret-word" not in everything
    cached = [p for p in tmp_path.with_name(f"{tmp_path.name}-cache").rglob("*") if p.is_file()]
    assert cached
    packed = [p.read_bytes()[ENTRY_HEAD:] for p in cached]
    assert not any(b"s3cret-word" in zlib.decompress(content) for content in packed)


def test_offline_uses_the_caches_and_says_so_where_they_are_empty(
    index: PackageServer, requirements: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path.with_name(f"{tmp_path.name}-uv")))
    path = requirements("webapp==1.0\n")
    cold = slugcheck(*check(index, path, "--offline"))
    assert (cold.code, cold.out) == (3, "")
    assert slugcheck(*check(index, path)).code == 0
    index.forget_hits()
    warm = slugcheck(*check(index, path, "--offline"))
    assert warm.code == 0, warm.err
    assert index.hits == ()


def test_no_cache_leaves_nothing_behind(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    assert slugcheck(*check(index, requirements("webapp==1.0\n"), "--no-cache")).code == 0
    assert not tmp_path.with_name(f"{tmp_path.name}-cache").exists()


def test_a_cache_that_cannot_be_written_is_a_note_and_no_failure(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    tmp_path.with_name(f"{tmp_path.name}-cache").write_text("a file where the folder should be")
    done = slugcheck(*check(index, requirements("webapp==1.0\n")))
    assert done.code == 0
    assert any("cache" in note for note in done.document["notes"])


def test_output_goes_to_a_file_whole_or_not_at_all(
    index: PackageServer, requirements: Write, tmp_path: Path
) -> None:
    path = requirements("webapp==1.0\n")
    target = tmp_path / "report.json"
    done = slugcheck(*check(index, path, "--output", str(target)))
    assert (done.code, done.out) == (0, "")
    assert target.read_text().startswith("{")
    lost = slugcheck(*check(index, path, "--output", str(tmp_path / "no" / "r.json")))
    assert lost.code == 2
    before = target.read_text()
    failed = slugcheck(*check(index, requirements("nosuchthing\n"), "--output", str(target)))
    assert failed.code == 3
    assert target.read_text() == before


def test_platform_profiles_judge_what_they_limit(index: PackageServer, requirements: Write) -> None:
    path = requirements("webapp==1.0\n")
    done = slugcheck(*check(index, path, "--platform", "aws-lambda"))
    assert done.code == 0, done.err
    verdict = next(v for v in done.document["verdicts"] if v["budget"] == "bundle")
    assert verdict["limit"] == 262_144_000
    small = slugcheck(*check(index, path, "--platform", "aws-lambda", "--limit", "bundle=10kB"))
    assert small.code == 1


def test_the_same_run_twice_gives_the_same_document(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements("webapp[fast]==1.0\nadmin\n")
    first, second = (slugcheck(*check(index, path)).document for _ in range(2))
    for document in (first, second):
        del document["transfer"]
        for one in document["distributions"]:
            del one["via"]
    assert first == second


def test_python_is_taken_from_the_version_file_beside_the_requirements(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements("webapp==1.0\n")
    arguments = (str(path), "--index-url", index.index_url, "--format", "json")
    assert slugcheck(*arguments).document["target"]["python"] == "3.14"
    requirements("# ours\n3.11\n", ".python-version")
    assert slugcheck(*arguments).document["target"]["python"] == "3.11"
    requirements("python-3.12.4\n", "runtime.txt")
    document = slugcheck(*arguments).document
    assert document["target"]["python_full"] == "3.12.4"
    requirements("3.12\n3.13\n", ".python-version")
    requirements("latest\n", "runtime.txt")
    assert slugcheck(*arguments).code == 3


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_tie_of_two_distributions_on_one_path_counts_once(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("opencv-python", "4.9", {"cv2/cv2.so": b"\x7fELF" + bytes(40_000)})
    index.add_wheel("opencv-python-headless", "4.9", {"cv2/cv2.so": b"\x7fELF" + bytes(30_000)})
    path = requirements("opencv-python==4.9\nopencv-python-headless==4.9\n")
    document = slugcheck(*check(index, path)).document
    assert document["overlaps"][0]["bytes"] == 30_004
    whole = sum(d["installed_bytes"] for d in document["distributions"])
    assert document["totals"]["installed_bytes"] == whole - 30_004
    finding = next(f for f in document["findings"] if f["code"] == "two-opencvs")
    assert "opencv-python-headless==4.9" in finding["fix"]
