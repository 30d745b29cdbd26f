"""slugcheck why end to end: the command line against a local index that serves real wheels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer
from tests.support.verifying import own_caches, uv_cache

__all__ = ["own_caches", "uv_cache"]

Write = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("own_caches")


@pytest.fixture
def server(package_server: PackageServer) -> PackageServer:
    """A runner that needs algebra until its version 2, numbers that nearly all need, a circle."""

    def add(name: str, version: str, kilobytes: int, *requires: str, **more: Any) -> None:
        module = name.replace("-", "_")
        noise = bytes(((n * n) >> 3) % 251 for n in range(1000)) * kilobytes
        files = {f"{module}/__init__.py": "x = 1\n", f"{module}/data.bin": noise}
        package_server.add_wheel(name, version, files, requires=requires, **more)

    add("runner", "1.0", 500, "algebra>=1", "numbers")
    add("runner", "2.0", 600, "numbers")
    add("algebra", "1.0", 300, "big-num<2,>=1")
    add("big-num", "1.5", 100)
    add("numbers", "1.0", 200)
    add("numbers", "2.0", 900)
    add("vision", "1.0", 400, "numbers>=0.5 ; python_version >= '3.8'", "numbers>=0.9")
    add("webapp", "1.0", 50, "ping", extras={"fast": ("speed-ups[all]>=1",)})
    add("speed-ups", "1.0", 80, extras={"all": ("numbers",)})
    add("ping", "1.0", 20, "pong")
    add("pong", "1.0", 30, "ping", "dotenv ; sys_platform == 'win32'")
    return package_server


@pytest.fixture
def why(server: PackageServer) -> Callable[..., Done]:
    def run(name: str, path: Path, *more: object) -> Done:
        index = ("--index-url", server.index_url)
        return slugcheck("why", name, path, "--python", "3.12", *index, *more)

    return run


@pytest.fixture
def answer(why: Callable[..., Done]) -> Callable[..., Any]:
    """The JSON of a question that is answered without a word on stderr."""

    def run(name: str, path: Path, *more: object) -> Any:
        done = why(name, path, "--format", "json", *more)
        assert (done.code, done.err) == (0, "")
        return done.document

    return run


def remedy(document: Any, kind: str, root: str = "") -> Any:
    found = [
        r for r in document["remedies"] if r["kind"] == kind and (not root or root in r["roots"])
    ]
    assert len(found) == 1, [(r["kind"], r["roots"]) for r in document["remedies"]]
    return found[0]


# --------------------------------------------------------------------------- who, and by which path


def test_the_path_the_size_and_who_asks(answer: Any, requirements: Write) -> None:
    path = requirements("vision==1.0\nrunner==1.0\n")
    found = answer("algebra", path, "--variants", "0")
    assert (found["standing"], found["distribution"]["version"]) == ("installed", "1.0")
    assert [(n["by"], n["asks"]) for n in found["needs"]] == [("runner", "algebra>=1")]
    [root] = found["roots"]
    assert (root["paths"], root["more_paths"]) == ([["runner", "algebra"]], 0)
    assert root["lines"] == [
        {"text": "runner==1.0", "origin": {"file": str(path), "line": 2}},
    ]  # fmt: skip
    assert found["brings"]["exclusive"] == ["big-num"]
    freed = found["brings"]["freed"]
    assert freed["names"] == ["algebra", "big-num"]
    assert 400_000 < freed["installed_bytes"] < 410_000


def test_what_others_need_as_well_is_shared_and_not_freed(answer: Any, requirements: Write) -> None:
    path = requirements("runner==1.0\nvision\n")
    brings = answer("runner", path, "--variants", "0")["brings"]
    assert (brings["exclusive"], brings["shared"]) == (["algebra", "big-num"], ["numbers"])
    assert "numbers" not in brings["freed"]["names"]


def test_every_root_that_reaches_it_is_there_the_shortest_path_first(
    answer: Any, requirements: Write
) -> None:
    path = requirements("webapp[fast]\nvision\nnumbers\nrunner\nping\n")
    roots = answer("numbers", path, "--variants", "0")["roots"]
    assert [(root["name"], root["paths"]) for root in roots] == [
        ("numbers", [["numbers"]]),
        ("runner", [["runner", "numbers"]]),
        ("vision", [["vision", "numbers"]]),
        ("webapp", [["webapp[fast]", "speed-ups[all]", "numbers"]]),
    ]


def test_lines_of_one_distribution_are_told_together(answer: Any, requirements: Write) -> None:
    [need] = answer("numbers", requirements("vision\n"), "--variants", "0")["needs"]
    assert need["asks"] == "numbers>=0.9"
    assert len(need["lines"]) == 2


@pytest.mark.parametrize("name", ["speed-ups", "Speed_Ups", "SPEED.UPS", "speed-ups[all]"])
def test_names_are_taken_as_pip_takes_them_and_the_extra_that_asks_is_named(
    answer: Any, requirements: Write, name: str
) -> None:
    found = answer(name, requirements("webapp[fast]\n"), "--variants", "0")
    assert found["name"] == "speed-ups"
    [need] = found["needs"]
    assert (need["by"], need["extra"]) == ("webapp", "fast")
    end = "speed-ups[all]" if "[" in name else "speed-ups"
    assert found["roots"][0]["paths"] == [["webapp[fast]", end]]


def test_an_extra_that_nobody_asks_for_is_told(answer: Any, requirements: Write) -> None:
    found = answer("numbers[dev]", requirements("numbers\n"), "--variants", "0")
    assert found["notes"] == ["nothing requires numbers[dev]"]


def test_a_circle_ends(answer: Any, requirements: Write) -> None:
    found = answer("pong", requirements("ping\n"), "--variants", "0")
    assert found["roots"][0]["paths"] == [["ping", "pong"]]
    assert found["brings"]["freed"]["names"] == ["pong"]
    assert found["brings"]["shared"] == ["ping"]
    assert remedy(found, "remove")["graph"]["names"] == ["ping", "pong"]


def test_equally_short_paths_are_shown_up_to_three_and_the_rest_counted(
    server: PackageServer, answer: Any, requirements: Write
) -> None:
    middles = [f"middle-{n}" for n in range(5)]
    for middle in middles:
        server.add_wheel(middle, "1.0", {f"{middle}.py": ""}, requires=("big-num",))
    server.add_wheel("top", "1.0", {"top.py": ""}, requires=middles)
    server.add_wheel("pair", "1.0", {"pair.py": ""}, requires=middles[:2])
    found = answer("big-num", requirements("top\npair\n"), "--variants", "0")
    pair, top = found["roots"]
    assert pair["paths"] == [["pair", m, "big-num"] for m in middles[:2]]
    assert pair["more_paths"] == 0
    assert top["paths"] == [["top", m, "big-num"] for m in middles[:3]]
    assert top["more_paths"] == 2


# --------------------------------------------------------------------------- what a change saves


def test_what_a_changed_file_saves_is_what_check_says_of_it(
    server: PackageServer, answer: Any, requirements: Write
) -> None:
    path = requirements("runner==1.0\nvision==1.0\nnumbers==1.0\n")
    found = answer("algebra", path)
    newest = remedy(found, "newest", "runner")
    assert newest["measured"]["left_version"] is None
    assert newest["after"][0]["text"] == "runner"

    def totals(text: str) -> Any:
        edited = requirements(text, "edited.txt")
        index = ("--index-url", server.index_url)
        done = slugcheck(edited, "--python", "3.12", *index, "--format", "json")
        return done.document["totals"]

    before = totals("runner==1.0\nvision==1.0\nnumbers==1.0\n")
    for text, one in (
        ("runner\nvision==1.0\nnumbers==1.0\n", newest),
        ("vision==1.0\nnumbers==1.0\n", remedy(found, "remove", "runner")),
    ):
        after = totals(text)
        saved = one["measured"]["saves_installed_bytes"]
        assert saved == before["all_installed_bytes"] - after["all_installed_bytes"]
        assert one["measured"]["saves_slug_bytes"] == before["slug_bytes"] - after["slug_bytes"]
        assert one["measured"]["slug_bytes"] == after["slug_bytes"]
        assert saved > 0


def test_deleting_the_line_of_what_others_need_frees_nothing_and_unpins_it(
    answer: Any, requirements: Write
) -> None:
    found = answer("numbers", requirements("runner==2.0\nvision==1.0\nnumbers==1.0\n"))
    own = remedy(found, "remove", "numbers")
    nothing = {"installed_bytes": 0, "slug_bytes": 0, "bundle_bytes": 0}
    assert own["graph"] == {"names": [], **nothing}
    assert own["measured"]["left_version"] == "2.0"
    assert own["measured"]["saves_installed_bytes"] < -600_000
    [change] = own["measured"]["changes"]
    assert (change["kind"], change["before"], change["after"]) == ("upgraded", "1.0", "2.0")
    everything = remedy(found, "remove-all")
    assert everything["roots"] == ["numbers", "runner", "vision"]
    assert everything["graph"]["names"] == ["numbers", "runner", "vision"]
    assert everything["measured"]["left_version"] is None


def test_the_graph_and_the_measurement_agree_where_nothing_is_resolved_differently(
    server: PackageServer, answer: Any, requirements: Write
) -> None:
    same = {"shared/one.bin": bytes(range(256)) * 300}
    server.add_wheel("left", "1.0", {**same, "left.py": "a = 1\n"})
    server.add_wheel("right", "1.0", {**same, "right.py": "b = 1\n"})
    server.add_wheel("setuptools", "80.0", {"setuptools/__init__.py": "c = 1\n" * 4000})
    path = requirements("left==1.0\nright==1.0\nsetuptools==80.0\nrunner==1.0\nnumbers==1.0\n")
    for name in ("left", "setuptools", "runner"):
        one = remedy(answer(name, path), "remove", name)
        assert one["graph"]["installed_bytes"] == one["measured"]["saves_installed_bytes"], name
        assert one["graph"]["slug_bytes"] == one["measured"]["saves_slug_bytes"], name
    # what both write stays, so only what is left's own goes
    assert remedy(answer("left", path), "remove")["graph"]["installed_bytes"] < 3_000


def test_a_line_that_comes_back_in_its_newest_version_is_told_once(
    why: Any, requirements: Write
) -> None:
    path = requirements("runner==2.0\nvision==1.0\nnumbers==1.0\n")
    rows = [line for line in why("numbers", path).out.splitlines() if line.startswith(("-", "^"))]
    assert [row.split()[1] for row in rows if "numbers==1.0" in row] == ["numbers==1.0"]
    assert "then 2.0" in next(row for row in rows if "numbers==1.0" in row)


def test_the_newest_of_all_lines_together(answer: Any, requirements: Write) -> None:
    found = answer("numbers", requirements("runner==1.0\nnumbers<2\nvision>=1\n"))
    together = remedy(found, "newest-all")
    assert together["roots"] == ["numbers", "runner"]  # nothing holds vision back
    versions = {c["name"]: c["after"] for c in together["measured"]["changes"]}
    assert versions == {"runner": "2.0", "numbers": "2.0", "algebra": None, "big-num": None}


def test_extras_and_markers_are_kept_and_hashes_are_not(
    server: PackageServer, answer: Any, requirements: Write
) -> None:
    old = server.add_wheel("tool", "1.0", {"tool.py": "t = 1\n"}, extras={"x": ("algebra",)})
    server.add_wheel("tool", "1.1", {"tool.py": "t = 1\n"}, extras={"x": ("numbers",)})
    line = f"tool[x]==1.0 ; python_version > '3.8' --hash=sha256:{old.sha256}\n"
    hashes = "".join(
        f"{name} --hash=sha256:{server._files[file].archive.sha256}\n"
        for name, file in (
            ("algebra==1.0", "algebra-1.0-py3-none-any.whl"),
            ("big-num==1.5", "big_num-1.5-py3-none-any.whl"),
        )
    )
    newest = remedy(answer("tool", requirements(line + hashes)), "newest", "tool")
    assert newest["after"][0]["text"] == 'tool[x] ; python_version > "3.8"'
    assert newest["measured"]["left_version"] == "1.1"
    names = [c["name"] for c in newest["measured"]["changes"]]
    assert "numbers" in names


def test_a_change_that_does_not_resolve_is_a_value_with_its_reason(
    server: PackageServer, why: Any, answer: Any, requirements: Write
) -> None:
    inner = server.add_wheel("inner", "1.0", {"inner.py": "i = 1\n"}, requires=("numbers",))
    server.add_wheel("outer", "1.0", {"outer.py": "o = 1\n"}, requires=("inner",))
    del server._files[inner.filename]  # not on the index, only in the file's own folder
    requirements(inner.content, f"wheels/{inner.filename}")
    path = requirements(f"./wheels/{inner.filename}\nouter\n")
    one = remedy(answer("numbers", path), "remove", "inner")
    assert (one["measured"], one["tried"]) == (None, True)
    assert one["reason"].startswith("does not resolve: ")
    assert "inner" in one["reason"]
    assert "does not resolve" in " ".join(why("numbers", path).out.split())


def test_a_newer_version_without_a_size_has_no_figure(
    server: PackageServer, answer: Any, requirements: Write
) -> None:
    server.add_wheel("native", "1.0", {"native.py": "n = 1\n"})
    setup = "import os\nfrom setuptools import setup\nsetup(name='native', version='2.0',\n"
    server.add_sdist(
        "native", "2.0", {"x.py": ""}, setup_py=f"{setup} install_requires=os.environ['WHAT'])\n",
        pkg_info="Metadata-Version: 1.0\nName: native\nVersion: 2.0\n",
    )  # fmt: skip
    newest = remedy(answer("native", requirements("native==1.0\n")), "newest")
    assert newest["measured"] is None
    assert newest["reason"].startswith("native could not be sized: ")


def test_a_twin_is_measured_in_its_place(
    server: PackageServer, answer: Any, requirements: Write
) -> None:
    big, small = {"cv2/gui.bin": bytes(range(256)) * 2000}, {"cv2/core.py": "c = 1\n"}
    server.add_wheel("opencv-python", "4.9", {**big, **small}, requires=("numbers",))
    server.add_wheel("opencv-python-headless", "4.9", small, requires=("numbers",))
    twin = remedy(answer("numbers", requirements("opencv-python==4.9\n")), "twin")
    assert [line["text"] for line in twin["after"]] == ["opencv-python-headless==4.9"]
    assert twin["measured"]["saves_installed_bytes"] > 500_000
    assert twin["measured"]["left_version"] == "2.0"


def test_the_changes_are_bounded_and_those_left_out_are_named(
    why: Any, answer: Any, requirements: Write
) -> None:
    path = requirements("runner==1.0\nvision==1.0\nnumbers==1.0\n")
    found = answer("numbers", path, "--variants", "1")
    assert [r["kind"] for r in found["remedies"] if r["measured"]] == ["remove-all"]
    left = [r for r in found["remedies"] if not r["measured"]]
    assert {r["tried"] for r in left} == {False}
    shown = " ".join(why("numbers", path, "--variants", "1").out.split())
    assert "not tried: beyond --variants 1: " in shown
    assert "without runner" in shown


def test_without_variants_nothing_is_resolved_again(
    server: PackageServer, answer: Any, requirements: Write
) -> None:
    path = requirements("runner==1.0\nvision==1.0\nnumbers==1.0\n")
    answer("numbers", path, "--variants", "0")
    server.forget_hits()
    found = answer("numbers", path, "--variants", "0")
    assert not [hit for hit in server.hits if hit.path.endswith(".whl")]
    assert {r["reason"] for r in found["remedies"]} == {"not tried (--variants 0)"}
    assert remedy(found, "remove", "runner")["graph"]["names"] == ["algebra", "big-num", "runner"]


def test_removing_the_only_line_leaves_the_platform_alone(answer: Any, requirements: Write) -> None:
    found = answer("ping", requirements("ping\n"))
    one = remedy(found, "remove")
    assert one["graph"]["names"] == ["ping", "pong"]
    assert one["measured"]["all_installed_bytes"] == found["totals"]["runtime_bytes"]


# --------------------------------------------------------------------------- what is not there


def test_a_line_whose_marker_does_not_hold_says_so(why: Any, requirements: Write) -> None:
    path = requirements("ping\nvision ; sys_platform == 'win32'\n")
    done = why("vision", path, "--format", "json")
    assert (done.code, done.document["standing"]) == (0, "not-installed")
    [need] = done.document["needs"]
    assert (need["by"], need["origin"]["line"]) == (None, 2)
    assert "its marker excludes Linux with Python 3.12" in need["unmet"]
    assert done.document["remedies"] == []
    shown = " ".join(why("vision", path).out.split())
    verdict = "? vision is not installed on Heroku with Python 3.12: its marker excludes Linux"
    assert shown.startswith(verdict)
    assert f"is not in {path}" not in shown


def test_what_only_another_system_or_an_extra_asks_for_says_so(
    why: Any, requirements: Write
) -> None:
    path = requirements("webapp\n")
    dotenv = why("dotenv", path, "--format", "json")
    assert (dotenv.code, dotenv.document["standing"]) == (0, "not-installed")
    assert dotenv.document["needs"][0]["by"] == "pong"
    assert dotenv.document["needs"][0]["unmet"] == "its marker excludes this target"
    extra = why("speed-ups", path, "--format", "json").document
    assert extra["needs"][0]["unmet"] == "only with its extra fast"
    shown = " ".join(why("speed-ups", path).out.split())
    assert "speed-ups is not installed on Heroku with Python 3.12: webapp: only with" in shown
    assert "webapp[fast] 1.0" in shown


def test_a_constraint_alone_installs_nothing(why: Any, requirements: Write) -> None:
    requirements("vision<9\n", "limits.txt")
    done = why("vision", requirements("-c limits.txt\nping\n"), "--format", "json")
    assert done.document["needs"][0]["unmet"] == "a constraint limits versions but installs nothing"


def test_an_unknown_name_exits_2_with_those_near_it(why: Any, requirements: Write) -> None:
    path = requirements("runner==1.0\n")
    done = why("numbres", path)
    assert (done.code, done.out) == (2, "")
    assert f"numbres is not in {path}, and nothing there requires it" in done.err
    assert "did you mean numbers?" in done.err
    far = why("zzzzzz", path)
    assert far.code == 2
    assert "--all lists what is installed" in far.err


def test_a_line_without_a_size_says_so_and_what_it_hides(why: Any, requirements: Write) -> None:
    path = requirements("ping\ngit+https://127.0.0.1:9/team/Tool.git@main#egg=Tool\n")
    done = why("tool", path, "--format", "json")
    assert (done.code, done.document["standing"]) == (0, "unsized")
    assert "git repository" in done.document["unsized"]["reason"]
    one = remedy(done.document, "remove")
    assert one["measured"]["unsized_gone"] == ["tool"]
    assert one["measured"]["saves_installed_bytes"] == 0
    assert "could not be sized" in why("tool", path).out
    other = why("pong", path, "--variants", "0", "--format", "json")
    assert other.document["notes"] == [
        "unknown what tool requires: could not be sized",
    ]  # fmt: skip


def test_a_source_archive_by_url_that_is_not_there_can_be_taken_out(
    server: PackageServer, answer: Any, requirements: Write
) -> None:
    path = requirements(f"ping\n{server.url}/files/gone-1.0.zip\n")
    found = answer("gone-1.0.zip", path)
    assert (found["standing"], found["roots"][0]["lines"][0]["origin"]["line"]) == ("unsized", 2)
    assert remedy(found, "remove")["measured"]["left_version"] is None


# --------------------------------------------------------------------------- the command


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("requirements.txt", "the package name comes first", "slugcheck why "),
        ("a/b", "the package name comes first", "slugcheck why "),
        ("ping==1.0", "is more than a name", "slugcheck why ping "),
        ("[bold]x", "is not a package name", "for example slugcheck why numpy"),
        ("", "is not a package name", "for example"),
        ("x\x1b[31m::error::", "is not a package name", "for example"),
    ],
)
def test_a_first_word_that_is_no_name_is_told_before_anything_is_asked(
    server: PackageServer, why: Any, requirements: Write, name: str, said: str, hint: str
) -> None:
    done = why(name, requirements("ping\n"))
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert f"hint: {hint}" in done.err
    assert "\x1b" not in done.err
    assert server.hits == ()


def test_an_include_is_named_with_its_file(why: Any, answer: Any, requirements: Write) -> None:
    requirements("\nping\n", "more/base.txt")
    path = requirements("-r more/base.txt\nnumbers\n")
    [line] = answer("pong", path, "--variants", "0")["roots"][0]["lines"]
    assert line["origin"]["file"].endswith("more/base.txt")
    assert "more/base.txt:2" in "".join(why("pong", path, "--variants", "0").out.split())


def test_a_project_folder_counts_its_own_files(
    server: PackageServer, answer: Any, requirements: Write
) -> None:
    folder = requirements("runner==1.0\nnumbers==1.0\n", "project/requirements.txt").parent
    (folder / "main.py").write_text("print(1)\n" * 500)
    found = answer("algebra", folder)
    assert found["totals"]["app_bytes"] >= 4500
    saved = remedy(found, "newest", "runner")["measured"]
    assert saved["saves_installed_bytes"] > 0
    whole = found["totals"]["all_installed_bytes"]
    assert saved["all_installed_bytes"] == whole - saved["saves_installed_bytes"]


def test_a_lock_is_answered_from_its_graph_alone(
    server: PackageServer, why: Any, answer: Any, requirements: Write
) -> None:
    def package(name: str, version: str, filename: str) -> str:
        hashes = f'{{sha256 = "{server._files[filename].archive.sha256}"}}'
        return (
            f'[[packages]]\nname = "{name}"\nversion = "{version}"\n'
            f'wheels = [{{url = "{server.file_url(filename)}", hashes = {hashes}}}]\n'
        )

    head = 'lock-version = "1.0"\ncreated-by = "a test"\n'
    path = requirements(
        head
        + package("runner", "1.0", "runner-1.0-py3-none-any.whl")
        + package("algebra", "1.0", "algebra-1.0-py3-none-any.whl")
        + package("big-num", "1.5", "big_num-1.5-py3-none-any.whl")
        + package("numbers", "1.0", "numbers-1.0-py3-none-any.whl"),
        "pylock.toml",
    )
    found = answer("big-num", path)
    assert found["roots"][0]["paths"] == [["runner", "algebra", "big-num"]]
    [one] = found["remedies"]
    assert (one["measured"], one["tried"]) == (None, False)
    assert one["reason"].startswith("a lock file has no lines to change")
    assert len(one["graph"]["names"]) == 4
    assert "a lock file has no lines to change" in " ".join(why("big-num", path).out.split())


def test_an_app_that_does_not_fit_is_an_answer_all_the_same(
    why: Any, requirements: Write, tmp_path: Path
) -> None:
    path = requirements("ping\n")
    (tmp_path / "slugcheck.toml").write_text("[budgets]\nslug = '1M'\n")
    done = why("pong", path)
    assert done.code == 0
    assert "then of 1M" in done.out


def test_several_forms_at_once(why: Any, requirements: Write, tmp_path: Path) -> None:
    files = (tmp_path / "why.json", tmp_path / "why.md")
    done = why("pong", requirements("ping\n"), *(x for f in files for x in ("--output", f)))
    assert done.code == 0
    assert '"standing": "installed"' in files[0].read_text()
    assert files[1].read_text().startswith("## ✅ pong 1.0 is in ")
    assert done.out.startswith("✓ pong 1.0 is in")


def test_a_page_lists_what_the_table_folds(
    why: Any, requirements: Write, server: PackageServer
) -> None:
    parts = [f"part{n:02}" for n in range(12)]
    for part in parts:
        server.add_wheel(part, "1.0", {f"{part}.py": ""})
    server.add_wheel("all-parts", "1.0", {"all_parts.py": ""}, requires=parts)
    path = requirements("all-parts\n")
    page = why("all-parts", path, "--format", "markdown").out
    assert all(f"`{part}` 1.0" in page for part in parts)
    table = why("all-parts", path).out
    assert not all(f"{part} 1.0" in table for part in parts)
