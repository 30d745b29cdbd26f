"""What is said about the files that a push brings: in words, each note one sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from slugcheck.packed import Member
from slugcheck.project import tracked
from slugcheck.project.ignore import quoted
from slugcheck.units import mb

_SHOWN = 3  # files that one note names


def checkout(known: tracked.Tracked, members: tuple[Member, ...]) -> Iterator[str]:
    """Say how what git tracks and what is in the folder differ."""
    if known.prefix:
        yield (
            f"the folder is {quoted(known.prefix)} of its git checkout: counted are the "
            "files below it, as if they were pushed by themselves"
        )
    if not known.committed:
        yield "nothing is committed yet: counted are the files that are added"
    elif known.uncommitted is None:
        yield "whether files differ from the last commit was not looked at"
    else:
        here = {member.path for member in members}
        changed = sorted(known.uncommitted & here)
        if changed:
            yield (
                f"{files(changed)} {'differs' if len(changed) == 1 else 'differ'} from the last "
                f"commit and {are(changed)} counted as in the folder: {some(changed)}"
            )
    if known.untracked:
        names = sorted(known.untracked)
        yield f"{files(names)} {are(names)} not tracked by git and not counted: {some(names)}"
    if known.absent_submodules:
        yield (
            "not counted, but checked out by Heroku: the submodule "
            f"{some(known.absent_submodules)}, which is empty here "
            "(git submodule update --init mends that)"
        )
    if known.nested:
        yield (
            f"not counted, since a push does not hold it: {some(known.nested)} "
            "(a git repository of its own, but no submodule)"
        )


def lfs(members: Iterable[Member], paths: Collection[str]) -> Iterator[str]:
    """Say which files are pushed as pointers only; ``paths`` are all that are in Git LFS."""
    found = [member for member in members if member.path in paths]
    if not found:
        return
    size = sum(member.size for member in found)
    pointers = "its pointer" if len(found) == 1 else "their pointers"
    yield (
        f"{files(found)} {are(found)} in Git LFS, which Heroku does not fetch: counted, and in "
        f"the slug, {'is' if len(found) == 1 else 'are'} {pointers} ({size:,} bytes): "
        f"{some([member.path for member in found])}"
    )


def compiler(members: Iterable[Member]) -> Iterator[str]:
    """Say what an old compiler removed by itself."""
    temporary = [member for member in members if member.path.startswith("tmp/")]
    desktop = [member for member in members if member.path.rpartition("/")[2] == ".DS_Store"]
    for what, found in (("tmp/", temporary), (".DS_Store", desktop)):
        if found:
            size = mb(sum(member.size for member in found))
            yield (
                f"{what} is counted ({files(found)}, {size} MB): Heroku's compiler of 2014 "
                "removed it after the build, today's documentation does not say so"
            )


def files(found: Collection[object]) -> str:
    """Return "1 file" or "12 files"."""
    return "1 file" if len(found) == 1 else f"{len(found):,} files"


def are(found: Collection[object]) -> str:
    """Return the verb for one or many."""
    return "is" if len(found) == 1 else "are"


def some(names: Collection[str]) -> str:
    """Return the first names, and how many more there are."""
    shown = ", ".join(quoted(name) for name in list(names)[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
