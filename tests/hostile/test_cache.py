"""What an index, a URL or a lock claims plants nothing in the cache; damage changes no figure."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slugcheck.model import Artifact
from slugcheck.packages.index.client import HttpClient
from slugcheck.packages.index.inventories import Cache, Inventories, is_inside, key_of
from slugcheck.reading import checkout_of
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer, Quirk
from tests.support.wheels import Archive, make_sdist, make_wheel

NAME = "demo-1.0-py3-none-any.whl"
HONEST = make_wheel("demo", "1.0", {"demo.py": "x = 1\n", "demo/data.bin": os.urandom(300_000)})
TINY = make_wheel("demo", "1.0", {"demo.py": "x = 1\n"})
Write = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("private_caches")


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The figures of the honest wheel, from an index of its own and without a cache."""
    path = tmp_path_factory.mktemp("truth") / "requirements.txt"
    path.write_text("demo\n")
    with PackageServer() as server:
        server.add(HONEST)
        return figures(check(path, "--index-url", server.index_url, "--no-cache"))


@pytest.fixture
def honest() -> Iterator[PackageServer]:
    with PackageServer() as server:
        server.add(HONEST)
        yield server


@pytest.fixture
def attacker() -> Iterator[PackageServer]:
    """An index that has another wheel under the name, and claims the hash of the honest one."""
    with LyingServer() as server:
        server.add(TINY)
        yield server


class _Lie(Archive):
    """The content of one wheel under the hash of another."""

    @property
    def sha256(self) -> str:
        return HONEST.sha256


class LyingServer(PackageServer):
    def add(self, archive: Archive, **options: Any) -> Archive:
        return super().add(_Lie(*archive), **options)


def check(path: Path, *more: str) -> Done:
    return slugcheck(path, "--python", "3.12", "--format", "json", *more)


def figures(done: Done) -> Any:
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    document = done.document
    sizes = [(d["name"], d["installed_bytes"], d["slug_bytes"]) for d in document["distributions"]]
    return sizes, document["totals"]


def pylock(url: str, *, size: int | None = None) -> str:
    stated = f"size = {size}\n" if size is not None else ""
    return (
        'lock-version = "1.0"\ncreated-by = "somebody"\n[[packages]]\nname = "demo"\n'
        f'version = "1.0"\n[[packages.wheels]]\nurl = "{url}"\n{stated}'
        f'hashes = {{ sha256 = "{HONEST.sha256}" }}\n'
    )


# --------------------------------------------------------------------------- planted


@pytest.mark.parametrize("way", ["index", "index without sizes", "url", "hash", "pylock", "size"])
def test_a_claimed_hash_plants_nothing(
    way: str, honest: PackageServer, attacker: PackageServer, requirements: Write, truth: Any
) -> None:
    url = attacker.file_url(NAME)
    index = ["--index-url", attacker.index_url]
    match way:
        case "index":
            path = requirements("demo\n", "a.txt")
        case "index without sizes":
            attacker.add(TINY, says_size=False)
            path = requirements("demo\n", "a.txt")
        case "url":
            path = requirements(f"demo @ {url}#sha256={HONEST.sha256}\n", "a.txt")
        case "hash":
            path = requirements(f"{url} --hash=sha256:{HONEST.sha256}\n", "a.txt")
        case "pylock":
            path = requirements(pylock(url), "pylock.toml")
        case _:
            path = requirements(pylock(url, size=len(HONEST.content)), "pylock.toml")
    planting = check(path, *index)
    assert "Traceback" not in planting.err
    assert attacker.hits_of(NAME), "the attack did not reach its own server"
    again = figures(check(requirements("demo\n"), "--index-url", honest.index_url))
    assert again == truth
    lock = requirements(pylock(honest.file_url(NAME)), "pylock.toml")
    assert figures(check(lock))[1]["download_bytes"] == len(HONEST.content)


def test_two_lines_of_one_run_do_not_share_a_claim(
    honest: PackageServer, attacker: PackageServer, requirements: Write
) -> None:
    """One line's URL claims the hash of another line's wheel; whichever is read first."""
    with HttpClient() as client:
        inventories = Inventories(
            client=client, cache=Cache(Path(os.environ["SLUGCHECK_CACHE_DIR"]))
        )
        for _ in range(2):
            lie = inventories.inventory(replace(attacker.artifact(NAME), size=None))
            truth = inventories.inventory(honest.artifact(NAME))
            assert (lie.file_bytes, truth.file_bytes) == (len(TINY.content), len(HONEST.content))


def test_the_honest_host_with_another_file_is_another_key(honest: PackageServer) -> None:
    """An index can name the honest host, a wheel that the attacker put there, and any hash."""
    true = honest.artifact(NAME)
    keys = {
        key_of(true),
        key_of(replace(true, url=true.url.replace("demo-1.0", "evil-9.9"))),
        key_of(replace(true, url=true.url + "?file=evil")),
        key_of(replace(true, filename="demo-1.0-cp312-cp312-linux_x86_64.whl")),
        key_of(replace(true, sha256="cd" * 32)),
        key_of(replace(true, url=true.url.replace("http:", "https:"))),
        key_of(replace(true, url=true.url.replace("127.0.0.1:", "127.0.0.1:1"))),
    }
    assert len(keys) == 7


def test_one_file_is_one_key_however_it_is_asked_for() -> None:
    url = "https://host/a/demo-1.0-py3-none-any.whl"
    true = Artifact(filename=NAME, url=url, size=7, sha256="ab" * 32)
    same = {
        key_of(true),
        key_of(replace(true, size=None)),
        key_of(replace(true, sha256="AB" * 32)),
        key_of(replace(true, url=url.replace("//", "//user:secret@"))),
        key_of(replace(true, url=f"{url}#sha256={'ab' * 32}")),
        key_of(replace(true, url=f"{url}?X-Amz-Date=1&X-Amz-Signature=2&Expires=3")),
    }
    assert len(same) == 1
    assert "secret" not in str(same)


def test_local_wheels_are_read_anew(tmp_path: Path, requirements: Write) -> None:
    """What a lock claims of a file in the checkout stays; the file itself changes with a push."""
    place = tmp_path / "wheels" / NAME
    place.parent.mkdir()
    path = requirements(pylock("").replace('url = ""', f'path = "wheels/{NAME}"'), "pylock.toml")
    place.write_bytes(TINY.content)
    planted = figures(check(path))
    place.write_bytes(HONEST.content)
    assert figures(check(path))[1]["slug_bytes"] > planted[1]["slug_bytes"] + 250_000


def test_a_source_archive_under_another_name_is_another_entry(requirements: Write) -> None:
    """The file name decides how an archive is read: the same bytes, read wrongly, stay apart."""
    archive = make_sdist("demo", "1.0", {"demo/__init__.py": "x = 1\n"}, requires_txt="")
    with PackageServer() as server:
        server.add(archive)
        server.add(Archive("other-1.0.zip", archive.content))
        url = server.file_url("other-1.0.zip")
        check(requirements(f"{url}#sha256={archive.sha256}\n", "a.txt"))
        done = check(requirements("demo\n"), "--index-url", server.index_url)
    assert figures(done)[0][0][0] == "demo"


def test_stand_ins_from_local_folders_are_not_remembered(
    tmp_path: Path, requirements: Write
) -> None:
    folder = tmp_path / "links"
    folder.mkdir()
    sizes = []
    path = requirements(f"--no-index\n--find-links {folder}\ndemo\n")
    for text in ("x = 1\n", "x = 1\n" + "# " + "y" * 100_000 + "\n"):
        archive = make_sdist("demo", "1.0", {"demo/__init__.py": text}, requires_txt="")
        (folder / archive.filename).write_bytes(archive.content)
        sizes.append(figures(check(path))[1]["installed_bytes"])
    assert sizes[1] > sizes[0] + 90_000


# --------------------------------------------------------------------------- honest runs


def test_honest_runs_find_everything_again(honest: PackageServer, requirements: Write) -> None:
    lock = requirements(pylock(honest.file_url(NAME)), "pylock.toml")
    first = check(requirements("demo\n"), "--index-url", honest.index_url)
    assert first.document["transfer"]["cached"] == 0
    for path in (requirements("demo==1.0\n"), lock):
        honest.forget_hits()
        done = check(path, "--index-url", honest.index_url)
        transfer = done.document["transfer"]
        assert (transfer["requests"], transfer["cached"]) == (0, 1)
        assert honest.hits_of(NAME) == ()


# --------------------------------------------------------------------------- damage


def test_a_hundred_damaged_entries_change_nothing(requirements: Write) -> None:
    rng = random.Random(12)
    with PackageServer() as server:
        for n in range(20):
            files = {f"w{n}.py": "x = 1\n" * 50 * (n + 1), f"w{n}/data.bin": rng.randbytes(900)}
            server.add_wheel(f"w{n}", "1.0", files)
        server.add_sdist("src", "1.0", {"src/__init__.py": "x = 1\n" * 99}, requires_txt="")
        path = requirements("".join(f"w{n}==1.0\n" for n in range(20)) + "src==1.0\n")
        index = ("--index-url", server.index_url)
        truth = figures(check(path, *index))
        folder = Path(os.environ["SLUGCHECK_CACHE_DIR"])
        damaged = 0
        while damaged < 100:
            entries = sorted(one for one in folder.rglob("*") if one.is_file())
            assert len(entries) >= 22
            for entry in entries:
                damage(entry, rng, entries)
                damaged += 1
            assert figures(check(path, *index)) == truth


def damage(entry: Path, rng: random.Random, others: list[Path]) -> None:
    content = bytearray(entry.read_bytes())
    match rng.randrange(6):
        case 0:
            del content[rng.randrange(len(content)) :]
        case 1:
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        case 2:
            start = rng.randrange(len(content))
            content[start : start + 40] = bytes(len(content[start : start + 40]))
        case 3:
            content += rng.randbytes(5)
        case 4:
            content = bytearray(rng.choice(others).read_bytes()) if others else content
        case _:
            content = bytearray(zlib.compress(b'{"at": null, "paths": 5}'))
    entry.write_bytes(content)


def test_an_entry_that_is_sound_but_not_what_was_stored_is_dropped(tmp_path: Path) -> None:
    """A figure that changed on the disk, and an entry that stands where another belongs."""
    cache = Cache(tmp_path)
    cache.store("kind", "ab", {"size": 1_000})
    (entry,) = (one for one in tmp_path.rglob("*") if one.is_file())
    content = entry.read_bytes()
    head = len(b"slugcheck\2") + 32
    entry.write_bytes(content[:head] + zlib.compress(b'{"size":1}'))
    assert cache.load("kind", "ab") is None
    for kind, key in (("kind", "abc"), ("other", "ab")):
        moved = tmp_path / "v3" / kind / "ab" / f"{key}.json.zz"
        moved.parent.mkdir(parents=True, exist_ok=True)
        moved.write_bytes(content)
        assert cache.load(kind, key) is None
        assert not moved.exists()


@pytest.mark.parametrize("thing", ["folder", "link", "pipe", "shared"])
def test_what_is_no_entry_of_ours_is_not_believed(tmp_path: Path, thing: str) -> None:
    cache = Cache(tmp_path)
    cache.store("kind", "ab", {"n": 1})
    (entry,) = (one for one in tmp_path.rglob("*") if one.is_file())
    copy = tmp_path / "copy"
    shutil.copy(entry, copy)
    if thing != "shared":
        entry.unlink()
    match thing:
        case "folder":
            entry.mkdir()
        case "link":
            entry.symlink_to(copy)
        case "pipe":
            os.mkfifo(entry)
        case _:
            entry.chmod(0o666)
    assert Cache(tmp_path).load("kind", "ab") is None


def test_an_entry_that_unpacks_without_end_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slugcheck.packages.index.inventories.MAX_DOCUMENT", 10**6)
    cache = Cache(tmp_path)
    cache.store("kind", "ab", {"n": 1})
    (entry,) = (one for one in tmp_path.rglob("*") if one.is_file())
    packed = zlib.compress(b'{"n": "' + b"x" * 10**6 + b'"}')
    digest = hashlib.blake2b(b"kind\0ab\0" + packed, digest_size=32).digest()
    entry.write_bytes(b"slugcheck\2" + digest + packed)
    assert cache.load("kind", "ab") is None
    assert not entry.exists()


def test_nobody_else_reads_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "cache"
    Cache(folder).store("kind", "ab", {"n": 1})
    assert (folder / "v3").stat().st_mode & 0o777 == 0o700
    (folder / "v3").chmod(0o777)
    assert Cache(folder).load("kind", "ab") == {"n": 1}
    assert (folder / "v3").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to another user")
def test_entries_of_another_user_are_not_believed(tmp_path: Path) -> None:
    Cache(tmp_path).store("kind", "ab", {"n": 1})
    (entry,) = (one for one in tmp_path.rglob("*") if one.is_file())
    os.chown(entry, 65534, 65534)
    assert Cache(tmp_path).load("kind", "ab") is None
    Cache(tmp_path).store("kind", "ab", {"n": 1})
    os.chown(tmp_path / "v3", 65534, 65534)
    cache = Cache(tmp_path)
    assert cache.load("kind", "ab") is None
    assert "belongs to another user" in (cache.problem or "")


# --------------------------------------------------------------------------- in the checkout


@pytest.mark.parametrize(
    "way", ["folder", "plain folder", "relative", "link", "link out", "link in", "HOME"]
)
def test_a_cache_in_the_checkout_is_not_used(
    way: str, truth: Any, honest: PackageServer, requirements: Write, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Its entries are as good as any, and were made for a wheel that the index no longer has."""
    path = requirements("demo\n", "app/requirements.txt")
    planted = tmp_path / "app" / ".cache"
    Path(tmp_path, "outside").mkdir()
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", str(tmp_path / "outside" / "made"))
    check(path, "--index-url", honest.index_url)
    shutil.copytree(tmp_path / "outside" / "made", planted / "slugcheck")
    for entry in planted.rglob("*.zz"):
        entry.write_bytes(b"planted")
    if way != "plain folder":
        subprocess.run(["git", "init", "-q", str(tmp_path / "app")], check=True)
    named: str | Path = planted / "slugcheck"
    match way:
        case "relative":
            monkeypatch.chdir(tmp_path / "app")
            named = ".cache/slugcheck"
        case "link":
            (tmp_path / "link").symlink_to(planted)
            named = tmp_path / "link" / "slugcheck"
        case "link out":
            (tmp_path / "app" / "out").symlink_to(tmp_path / "outside")
            named = tmp_path / "app" / "out"
        case "link in":
            (tmp_path / "in").symlink_to(tmp_path / "app" / ".cache")
            named = tmp_path / "in" / ".." / ".cache" / "slugcheck"
        case "HOME":
            monkeypatch.setenv("HOME", str(tmp_path / "app"))
            monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
            named = ""
        case _:
            pass
    monkeypatch.setenv("SLUGCHECK_CACHE_DIR", str(named))
    before = {one: one.read_bytes() for one in planted.rglob("*.zz")}
    done = check(path, "--index-url", honest.index_url)
    assert figures(done) == truth
    assert any("the checked project" in note for note in done.document["notes"])
    assert {one: one.read_bytes() for one in planted.rglob("*.zz")} == before
    assert len(list((tmp_path / "outside").iterdir())) == 1


def test_uvs_cache_in_the_checkout_is_not_used(
    honest: PackageServer, requirements: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / ".uv"))
    done = check(requirements("demo\n"), "--index-url", honest.index_url)
    assert figures(done)
    assert any("UV_CACHE_DIR" in note for note in done.document["notes"])
    assert not (tmp_path / ".uv").exists()


def test_the_checkout_is_the_one_that_git_knows(tmp_path: Path) -> None:
    (tmp_path / "top" / ".git").mkdir(parents=True)
    (tmp_path / "top" / "sub").mkdir()
    assert checkout_of(tmp_path / "top" / "sub") == (tmp_path / "top").resolve()
    assert (
        checkout_of(tmp_path / "top" / "sub" / "requirements.txt") == (tmp_path / "top").resolve()
    )
    assert is_inside(tmp_path / "top" / "x" / ".." / "c", tmp_path / "top")
    assert not is_inside(tmp_path / "topper", tmp_path / "top")


def test_quirk_free_mirrors_that_are_read_whole_are_kept_too(requirements: Write) -> None:
    with PackageServer(quirk=Quirk.NO_RANGES) as server:
        server.add(HONEST)
        path = requirements("demo\n")
        first = check(path, "--index-url", server.index_url)
        second = check(path, "--index-url", server.index_url)
    assert figures(first) == figures(second)
    assert json.loads(second.out)["transfer"]["cached"] == 1
