"""What pip refuses in a file: said line by line, with what to change, and sized all the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from slugcheck import MeasureError, compare
from slugcheck.packages.resolve import resolution
from slugcheck.packages.resolve.reasons import Need, chain, needs_in
from tests.support.commands import Done, slugcheck
from tests.support.server import PackageServer

Write = Callable[..., Path]

# Texts of uv 0.13.9, as it wrote them.
THROUGH = """Because langchain-core>=0.1.33,<=0.1.53 depends on langsmith>=0.1.0,<0.2.0 and \
langchain-openai==0.1.0 depends on langchain-core>=0.1.33,<0.2.0, we can conclude that \
langchain-openai==0.1.0 depends on langsmith>=0.1.0,<0.2.0.
And because langchain==0.0.300 depends on langsmith>=0.0.38,<0.1.0, we can conclude that \
langchain==0.0.300 and langchain-openai==0.1.0 are incompatible.
And because you require langchain==0.0.300 and langchain-openai==0.1.0, we can conclude that your \
requirements are unsatisfiable."""
RANGES = """Because fastapi==0.99.0 depends on one of:
pydantic>=1.7.4,<1.8
pydantic>1.8,<1.8.1
pydantic>1.8.1,<2.0.0
and you require pydantic>=2.11, we can conclude that your requirements and fastapi==0.99.0 are \
incompatible."""
KNOWN = """And because we know from (1) that a==1 depends on c<2 and b==1 depends on c>=2, we can \
conclude that a==1 and b==1 are incompatible."""


@pytest.fixture
def index(package_server: PackageServer, plain_network: None) -> PackageServer:
    """Numbers in two versions, and what needs one of them, directly or through others."""
    server = package_server
    for name in ("numbers", "colors"):
        for version in ("1.0", "1.5", "2.0", "2.1"):
            server.add_wheel(name, version, {f"{name}.py": "x = 1\n"})
    server.add_wheel("frames", "3.0", {"frames.py": "f = 1\n"}, requires=("numbers>=2",))
    server.add_wheel("tensors", "2.7", {"tensors.py": "t = 1\n"}, requires=("numbers<2",))
    server.add_wheel("bots", "3.1", {"bots.py": "b = 1\n"}, requires=("tensors>=2,<3",))
    server.add_wheel("paint", "1.0", {"paint.py": "p = 1\n"}, requires=("colors<2",))
    server.add_wheel("paint", "0.9", {"paint.py": "p = 0\n"}, requires=("colors<1.2",))
    return server


def check(server: PackageServer, path: Path, *more: str) -> Done:
    index = ("--index-url", server.index_url, "--python", "3.12", "--format", "json")
    return slugcheck(str(path), *index, *more)


def obstacles(done: Done) -> list[tuple[str, str, str]]:
    """Sentence, fix and what was sized instead, without the folder of the file."""
    assert done.code == 3, done.err
    found = []
    for obstacle in done.document["obstacles"]:
        assert obstacle["refused"]
        folder = str(Path(obstacle["origin"]["file"]).parent) + "/"
        texts = (obstacle["sentence"], obstacle["fix"], obstacle["instead"])
        found.append(tuple(text.replace(folder, "") for text in texts))
    return found


def versions(done: Done) -> dict[str, str]:
    return {d["name"]: d["version"] for d in done.document["distributions"]}


def test_a_line_against_a_line(index: PackageServer, requirements: Write) -> None:
    path = requirements("# ours\ncolors==2.0\n\nnumbers==1.5\nframes==3.0\n")
    done = check(index, path)
    assert obstacles(done) == [
        (
            "requirements.txt:4 numbers==1.5 conflicts with line 5 frames==3.0, "
            "which needs numbers>=2",
            "numbers==2.1  # line 4",
            "sized with numbers 2.1 (line 4 loosened)",
        )
    ]
    assert versions(done) == {"colors": "2.0", "numbers": "2.1", "frames": "3.0"}
    assert done.document["totals"]["slug_bytes"] > 0
    assert done.err == ""
    fixed = requirements("colors==2.0\nnumbers==2.1\nframes==3.0\n")
    assert check(index, fixed).code == 0


def test_a_conflict_through_what_no_line_names(index: PackageServer, requirements: Write) -> None:
    done = check(index, requirements("numbers==2.0\nbots==3.1\n"))
    assert obstacles(done) == [
        (
            "requirements.txt:1 numbers==2.0 conflicts with line 2 bots==3.1, which needs "
            "tensors 2.7, which needs numbers<2",
            "numbers==1.5  # line 1",
            "sized with numbers 1.5 (line 1 loosened)",
        )
    ]
    assert versions(done)["tensors"] == "2.7"


def test_two_lines_that_need_different_versions_of_a_third(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("bots", "4.0", {"bots.py": "b = 2\n"}, requires=("numbers>=2",))
    done = check(index, requirements("frames==3.0\nbots==3.1\n"))
    ((sentence, fix, instead),) = obstacles(done)
    assert sentence == (
        "requirements.txt:1 frames==3.0, which needs numbers>=2, conflicts with line 2 bots==3.1, "
        "which needs tensors 2.7, which needs numbers<2"
    )
    assert fix == "bots==4.0  # line 2"
    assert instead == "sized with bots 4.0 (line 2 loosened)"


def test_independent_conflicts_are_one_obstacle_each(
    index: PackageServer, requirements: Write
) -> None:
    done = check(index, requirements("numbers==1.5\nframes==3.0\ncolors==2.0\npaint==1.0\n"))
    assert sorted(sentence for sentence, _, _ in obstacles(done)) == [
        "requirements.txt:1 numbers==1.5 conflicts with line 2 frames==3.0, which needs numbers>=2",
        "requirements.txt:3 colors==2.0 conflicts with line 4 paint==1.0, which needs colors<2",
    ]
    assert versions(done) == {"numbers": "2.1", "frames": "3.0", "colors": "1.5", "paint": "1.0"}


def test_the_line_is_loosened_with_which_the_whole_file_resolves(
    index: PackageServer, requirements: Write
) -> None:
    # numbers is what the others need, but another line holds it where it is
    index.add_wheel("frames", "2.0", {"frames.py": "f = 0\n"}, requires=("numbers",))
    done = check(index, requirements("numbers==1.5\nframes==3.0\ntensors==2.7\n"))
    found = obstacles(done)
    assert [instead for _, _, instead in found] == ["sized with frames 2.0 (line 2 loosened)"]
    assert versions(done)["numbers"] == "1.5"


def test_what_others_need_is_loosened_first(index: PackageServer, requirements: Write) -> None:
    index.add_wheel("frames", "2.0", {"frames.py": "f = 0\n"}, requires=("numbers",))
    done = check(index, requirements("frames==3.0\nnumbers==1.5\n"))
    assert [instead for _, _, instead in obstacles(done)] == [
        "sized with numbers 2.1 (line 2 loosened)"
    ]


def test_a_name_pinned_twice(index: PackageServer, requirements: Write) -> None:
    done = check(index, requirements("numbers==1.0\ncolors\nnumbers==1.5\n"))
    assert obstacles(done) == [
        (
            "requirements.txt:1 numbers==1.0 conflicts with line 3 numbers==1.5",
            "# delete line 1: numbers==1.0",
            "sized with numbers 1.5 (line 1 left out)",
        )
    ]


def test_a_line_against_a_constraint(index: PackageServer, requirements: Write) -> None:
    requirements("numbers<2\n", "limits.txt")
    done = check(index, requirements("-c limits.txt\ncolors\nnumbers==2.0\n"))
    ((sentence, fix, _),) = obstacles(done)
    assert sentence == "requirements.txt:3 numbers==2.0 conflicts with limits.txt:1 numbers<2"
    assert fix == "numbers==1.5  # line 3"


def test_a_version_that_is_for_other_pythons(index: PackageServer, requirements: Write) -> None:
    index.add_wheel("fresh", "2.0", {"f.py": "f = 1\n"}, requires_python=">=3.13")
    index.add_wheel("fresh", "1.0", {"f.py": "f = 1\n"})
    done = check(index, requirements("colors==1.0\nfresh==2.0\n"))
    assert (done.code, done.document["obstacles"]) == (1, [])
    (finding,) = done.document["findings"]
    assert (finding["code"], finding["subject"]) == ("build-fails", "fresh")
    assert "requires Python >=3.13" in finding["sentence"]
    assert done.one("fresh")["version"] == "2.0"


def test_what_is_not_on_the_index_is_said_all_at_once(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements("numbers==1.6\nnosuchthing\ncolors>=9\nframes==3.0\npaint==1.0+cpu\n")
    done = check(index, path)
    found = {sentence.split(" ", 1)[0]: (sentence, fix) for sentence, fix, _ in obstacles(done)}
    assert found["requirements.txt:1"] == (
        "requirements.txt:1 numbers==1.6: no such version; the nearest are 1.0, 1.5, 2.0, 2.1",
        "numbers==2.1  # line 1",
    )
    assert found["requirements.txt:2"][0] == "requirements.txt:2 nosuchthing: no index has it"
    assert "no such version" in found["requirements.txt:3"][0]
    assert any("paint==1.0+cpu" in sentence for sentence, _ in found.values())
    assert versions(done)["frames"] == "3.0"
    assert "nosuchthing" not in versions(done)


@pytest.mark.slow
def test_more_conflicts_than_are_tried_still_end_in_a_size(
    index: PackageServer, requirements: Write
) -> None:
    lines = []
    for number in range(14):
        name = f"part{number}"
        for version in ("1.0", "2.0"):
            index.add_wheel(name, version, {f"{name}.py": "x = 1\n"})
        index.add_wheel(f"user{number}", "1.0", {"u.py": "\n"}, requires=(f"{name}>=2",))
        lines += [f"{name}==1.0", f"user{number}==1.0"]
    done = check(index, requirements("\n".join(lines)))
    found = obstacles(done)
    assert "there may be more, not every line was tried" in found[-1][0]
    assert 2 <= len(found) < 14
    assert len(versions(done)) == 28


def test_extras_and_markers_stay_in_the_line_to_paste(
    index: PackageServer, requirements: Write
) -> None:
    for version in ("1.0", "2.0"):
        index.add_wheel("shop", version, {"s.py": ""}, requires=(), extras={"fast": ("colors",)})
    index.add_wheel("till", "1.0", {"till.py": ""}, requires=("shop>=2",))
    path = requirements('shop[fast]==1.0 ; python_version > "3.8"\ntill==1.0\n')
    ((_, fix, _),) = obstacles(check(index, path))
    assert fix.startswith('shop[fast]==2.0 ; python_version > "3.8"  # line 1')


def test_only_verbose_shows_the_resolvers_own_reason(
    index: PackageServer, requirements: Write
) -> None:
    path = requirements("numbers==1.5\nframes==3.0\n")
    assert "we can conclude" not in check(index, path).err
    assert "Because all versions of frames depend on numbers>=2" in check(index, path, "-v").err


def test_a_line_is_left_out_where_no_other_version_helps(
    index: PackageServer, requirements: Write
) -> None:
    done = check(index, requirements("colors==2.0\nframes==3.0\nbots==3.1\n"))
    ((sentence, fix, instead),) = obstacles(done)
    assert "requirements.txt:2 frames==3.0, which needs numbers>=2, conflicts with" in sentence
    assert fix == "# delete line 3: bots==3.1"
    assert instead == "sized without bots"
    assert versions(done) == {"colors": "2.0", "frames": "3.0", "numbers": "2.1"}


@pytest.mark.slow
def test_the_same_file_gets_the_same_answer(index: PackageServer, requirements: Write) -> None:
    path = requirements("numbers==1.5\nframes==3.0\nbots==3.1\ncolors==2.0\npaint==1.0\n")
    assert obstacles(check(index, path)) == obstacles(check(index, path))


def test_a_comparison_does_not_take_the_loosened_file_for_the_file(
    index: PackageServer, requirements: Write
) -> None:
    good = requirements("numbers==1.5\n", "good.txt")
    bad = requirements("numbers==1.5\nframes==3.0\n", "bad.txt")
    with pytest.raises(MeasureError, match=r"bad.txt:1 numbers==1.5 conflicts with line 2"):
        compare(good, bad, python="3.12", index_url=index.index_url)
    head = check(index, bad, "--against", str(good))
    assert head.code == 3
    base = check(index, good, "--against", str(bad), "--limit", "increase=1M")
    assert base.code == 3
    assert "bad.txt:1 numbers==1.5 conflicts" in base.document["base"]["problem"]


# --------------------------------------------------------------------------- uv's reasons


def test_only_premises_say_what_needs_what() -> None:
    assert [str(need) for need in needs_in(THROUGH)] == [
        "langsmith>=0.1.0,<0.2.0", "langchain-core>=0.1.33,<0.2.0", "langsmith>=0.0.38,<0.1.0",
    ]  # fmt: skip
    steps = chain("langchain-openai", "langsmith", needs_in(THROUGH))
    assert steps is not None
    assert [need.source for need in steps] == ["langchain-openai", "langchain-core"]


def test_what_was_concluded_before_is_no_premise() -> None:
    assert needs_in(KNOWN) == (Need("b", "c", ">=2"),)


def test_several_ranges_are_shown_from_the_first_to_the_last() -> None:
    assert needs_in(RANGES) == (Need("fastapi", "pydantic", ">=1.7.4,<2.0.0"),)


@pytest.mark.parametrize(
    "reason",
    [
        "Because",
        "depends on",
        "a depends on",
        "a depends on one",
        "because we know",
        "a depend on b" * 9,
    ],
)
def test_a_reason_that_breaks_off_is_no_bug(reason: str) -> None:
    assert isinstance(needs_in(reason), tuple)


def test_a_huge_reason_takes_no_time() -> None:
    before = time.perf_counter()
    needs_in(" ".join(f"a{n} depends on b{n}>=1 and" for n in range(200_000)))
    assert time.perf_counter() - before < 5


def test_a_build_for_cpus_that_no_index_has_is_not_sized_as_one_for_gpus(
    index: PackageServer, requirements: Write
) -> None:
    index.add_wheel("brush", "1.0", {"b.py": "b = 1\n"})  # what the default index has
    index.add_wheel("gallery", "1.0", {"g.py": "g = 1\n"}, requires=("brush",))
    done = check(index, requirements("brush==1.0+cpu\ngallery==1.0\n"))
    ((_, _, instead),) = obstacles(done)
    assert instead == "sized without brush"
    assert [one["name"] for one in done.document["distributions"]] == ["gallery"]
    assert [(one["name"], one["version"]) for one in done.document["unsized"]] == [
        ("brush", "1.0+cpu")
    ]


def test_more_missing_names_than_are_looked_for_are_still_what_is_wrong(
    index: PackageServer, requirements: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolution, "_MAX_ROUNDS", 3)
    done = check(index, requirements("".join(f"nothing{n}==1.0\n" for n in range(5))))
    assert (done.code, done.out) == (3, "")
    assert "nothing0==1.0: no index has it; and 2 more\n" in done.err
    assert "hint: check the spelling, or add your private index" in done.err
