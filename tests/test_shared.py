"""What several checks find out once: values by key, indexes that are away, builds from source."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from slugcheck.errors import NetworkError
from slugcheck.packages.index.once import Once
from slugcheck.packages.shared import SharedPackages
from tests.support import stock
from tests.support.commands import slugcheck
from tests.support.server import PackageServer

Write = Callable[..., Path]
COMPILED = (
    "from setuptools import Extension, setup\n"
    "setup(name='compiled', version='1.0', ext_modules=[Extension('c', ['c.c'])])\n"
)


def test_several_threads_make_a_value_once() -> None:
    made: list[int] = []
    begun = threading.Barrier(8)
    once: Once[str, int] = Once(most=10)

    def make() -> int:
        made.append(1)
        threading.Event().wait(0.05)  # long enough for the others to come
        return 7

    answers: list[int] = []

    def ask() -> None:
        begun.wait()
        answers.append(once.get("key", make))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers, made) == ([7] * 8, [1])


def test_an_error_is_an_answer_and_what_is_too_much_is_not_kept() -> None:
    asked: list[str] = []
    once: Once[str, str] = Once(most=5, weigh=len)

    def fail() -> str:
        asked.append("wrong")
        raise NetworkError("away", hint="later")

    for _ in range(2):
        with pytest.raises(NetworkError, match="away"):
            once.get("wrong", fail)
    assert asked == ["wrong"]

    def make(text: str) -> Callable[[], str]:
        def answer() -> str:
            asked.append(text)
            return text

        return answer

    for text in ("abc", "defg", "abc", "defg", "ij", "ij"):
        assert once.get(text, make(text)) == text
    assert asked == ["wrong", "abc", "defg", "defg", "ij"]


def test_an_index_that_was_away_is_not_waited_for_again() -> None:
    asked: list[str] = []

    def ask() -> str:
        asked.append("asked")
        raise NetworkError("away")

    with SharedPackages() as packages:
        for _ in range(2):
            with pytest.raises(NetworkError):
                packages.asked("https://index.example/", ask)
        assert packages.asked("https://other.example/", lambda: "there") == "there"
    assert asked == ["asked"]


@pytest.mark.usefixtures("private_caches")
def test_what_is_remembered_of_a_build_is_that_platforms(
    package_server: PackageServer, requirements: Write
) -> None:
    index = package_server
    index.add_sdist("compiled", "1.0", {"c.c": "int x;\\n" * 40}, setup_py=COMPILED)
    for minor in ("312", "314"):
        tag = f"cp{minor}-cp{minor}-manylinux_2_17_x86_64"
        index.add_wheel("compiled", "1.0", {"c.so": stock.noise(9_000)}, tag=tag)
    path, newest = requirements("compiled\n"), []
    for platform in ("fly", "pythonanywhere-free"):  # the second has no Python 3.14
        flags = ("--platform", platform, "--python", "3.13", "--index-url", index.index_url)
        row = slugcheck(path, *flags, "--format", "json").one("compiled")
        newest.append(row["source_build"]["newest_python_with_wheel"])
    assert newest == ["3.14", "3.12"]
