"""Apps that are written to make the scan of imports take for ever, or look elsewhere."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from slugcheck.model import When
from slugcheck.project import source
from tests.support.code import scanned

SECONDS = 8.0  # of the processor; the worst takes 1 on a quiet machine
MANY = 4


def many(text: str) -> dict[str, str]:
    """An app of files of the largest size that are all alike."""
    names = {f"m{number}.py": text for number in range(MANY)}
    return {**names, "app.py": "".join(f"import m{number}\n" for number in range(MANY))}


def line(count: int, text: Callable[[int], str]) -> dict[str, str]:
    return {f"m{number}.py": text(number) for number in range(count)} | {"app.py": "import m0\n"}


@pytest.mark.parametrize(
    "sources",
    [
        many("a\n" * 39_000 + "b c"),
        many("f()\n" * 12_000),
        many("class A:a()\n" * 8_000),
        many("import " + "a." * 20_000 + "a\n"),
        many("a" + ".b()" * 12_000),
        line(400, lambda n: f"import m{n + 1}\n"),
        line(60, lambda n: f"from m{n + 1} import *\n" * 20),
        line(90, lambda n: f"try:\n import m{n + 1}\nfinally: pass\n"),
        {"app.py": "".join(f"def f{n}():\n f{n + 1}();f{n + 1}()\n" for n in range(90)) + "f0()"},
        {
            "app.py": "".join(
                f"class A{n}({','.join(f'A{k}' for k in range(max(0, n - 40), n))}): pass\n"
                for n in range(200)
            )
            + "A199()"
        },
        {"app.py": "class A:\n def f(self): self.a = A()\na = A()\n" + "a.f()\n" * 9_000},
        {"app.py": "import a\n", "a.py": "import b, app\n", "b.py": "import a\n"},
    ],
    ids=["lines", "calls", "classes", "parts of a name", "parts of a call", "modules", "stars",
         "tries", "functions", "bases", "methods", "circle"],
)  # fmt: skip
def test_an_app_that_goes_on_for_ever_is_followed_in_bounds(
    tmp_path: Path, sources: dict[str, str]
) -> None:
    begin = time.process_time()
    scan = scanned(tmp_path, sources, entry="app.py")
    assert time.process_time() - begin < SECONDS
    assert scan.files[0] == "app.py"


def test_the_largest_tree_fits_the_bound_on_tokens(tmp_path: Path) -> None:
    text = b"a\n" * (source.MOST_TOKENS - 10) + b"b c"
    tracemalloc.start()
    try:
        read = source.read(text, minor="3.12")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read.failure
    assert peak < 140 * 2**20


@pytest.mark.parametrize("name", ["m.py", "m/__init__.py"])
def test_code_outside_of_the_checkout_is_not_read(tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "secret.py").write_text("import secret_module\n")
    (elsewhere / "__init__.py").write_text("import secret_module\n")
    folder = tmp_path / "app"
    folder.mkdir()
    if "/" in name:
        (folder / "m").symlink_to(elsewhere)
    else:
        (folder / name).symlink_to(elsewhere / "secret.py")
    scan = scanned(folder, {"app.py": "import m\n"}, entry="app.py")
    assert "secret_module" not in {item.module for item in scan.imports}


def test_nothing_of_the_app_is_run(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    code = f"open({str(witness)!r}, 'w')\nimport flask\n"
    scan = scanned(
        tmp_path,
        {
            "Procfile": "web: sh start.sh\n",
            "start.sh": f"touch {witness}\n$(touch {witness}) gunicorn app:app\ngunicorn app:app\n",
            "gunicorn.conf.py": code,
            "app.py": code,
        },
    )
    assert not witness.exists()
    assert "flask" in {item.module for item in scan.at(When.START)}
