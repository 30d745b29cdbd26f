"""``.slugignore``: what each form of entry removes, and what the user is told.

``REAL`` was made by running Heroku's published compiler's globs through Ruby 3.1's own ``Dir[]`` on
a folder with ``FILES``; where Ruby is installed, it is made again and held against the table.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from slugcheck.errors import UsageError
from slugcheck.project import slugignore

FILES = (
    "!neg.md",
    ".ci/a.txt",
    ".ci/docs/z.txt",
    ".env",
    ".hidden",
    "A.TXT",
    "Procfile",
    "a,b",
    "a.txt",
    "alias",
    "b.txt",
    "back\\slash",
    "docs/.cache/x.txt",
    "docs/a.txt",
    "docs/faq.md",
    "docs/img/docs/c.txt",
    "docs/img/logo.png",
    "link",
    "src/app.py",
    "star*x",
    "we[ird",
    "é.txt",
)
LINKS = {"alias": "a.txt", "link": "docs"}
ALL = " ".join(FILES)
DOCS = "docs/.cache/x.txt docs/a.txt docs/faq.md docs/img/docs/c.txt docs/img/logo.png"
SHOWN_DOCS = "docs/a.txt docs/faq.md docs/img/docs/c.txt docs/img/logo.png"

REAL = (
    ("a.txt", "a.txt docs/a.txt"),
    ("*.txt", "a.txt b.txt docs/a.txt docs/img/docs/c.txt é.txt"),
    ("A.txt", ""),
    ("*.TXT", "A.TXT"),
    ("docs", DOCS),
    ("docs/", DOCS),
    ("/docs", DOCS),
    ("/docs/", DOCS),
    ("/a.txt", "a.txt"),
    ("./docs", DOCS),
    ("docs//img", "docs/img/docs/c.txt docs/img/logo.png"),
    ("docs/./img", "docs/img/docs/c.txt docs/img/logo.png"),
    ("docs/img/../a.txt", "docs/a.txt"),
    ("nope/../a.txt", ""),
    ("docs/a.txt", "docs/a.txt"),
    ("docs/*", SHOWN_DOCS),
    ("docs/**", SHOWN_DOCS),
    ("docs/**/*", SHOWN_DOCS),
    ("docs/**/*.txt", "docs/a.txt docs/img/docs/c.txt"),
    ("**/a.txt", "a.txt docs/a.txt"),
    ("**/docs", DOCS),
    ("**/docs/*", SHOWN_DOCS),
    ("*/a.txt", "docs/a.txt"),
    ("*/*/*.png", "docs/img/logo.png"),
    ("**/img/**/c.txt", "docs/img/docs/c.txt"),
    ("**.txt", "a.txt b.txt docs/a.txt docs/img/docs/c.txt é.txt"),
    ("***/faq.md", "docs/faq.md"),
    ("*/", f"{DOCS} link src/app.py"),
    (
        "*",
        f"!neg.md A.TXT Procfile a,b a.txt alias b.txt back\\slash {DOCS} link src/app.py star*x "
        "we[ird é.txt",
    ),
    (".*", ALL),
    ("docs/.*", DOCS),
    ("**/.*", ".ci/a.txt .ci/docs/z.txt .env .hidden docs/.cache/x.txt"),
    (".h*", ".hidden"),
    (".?*", ".ci/a.txt .ci/docs/z.txt .env .hidden docs/.cache/x.txt"),
    (".[a-z]*", ".ci/a.txt .ci/docs/z.txt .env .hidden docs/.cache/x.txt"),
    (".hidden", ".hidden"),
    (".cache", "docs/.cache/x.txt"),
    ("?hidden", ""),
    ("[.]hidden", ""),
    ("{.,x}hidden", ".hidden"),
    (".ci", ".ci/a.txt .ci/docs/z.txt"),
    (".ci/*", ".ci/a.txt .ci/docs/z.txt"),
    ("*.ci", ""),
    ("?.txt", "a.txt b.txt docs/a.txt docs/img/docs/c.txt é.txt"),
    ("??.txt", ""),
    ("[ab].txt", "a.txt b.txt docs/a.txt"),
    ("[a-c].txt", "a.txt b.txt docs/a.txt docs/img/docs/c.txt"),
    ("[c-a].txt", "a.txt docs/a.txt docs/img/docs/c.txt"),
    ("[!a].txt", "b.txt docs/img/docs/c.txt é.txt"),
    ("[^a].txt", "b.txt docs/img/docs/c.txt é.txt"),
    ("[A-Z].TXT", "A.TXT"),
    ("[é].txt", "é.txt"),
    ("[]a].txt", ""),
    ("we[ird", ""),
    ("we\\[ird", "we[ird"),
    ("star\\*x", "star*x"),
    ("star*x", "star*x"),
    ("back\\\\slash", "back\\slash"),
    ("back\\slash", ""),
    ("a,b", "a,b"),
    ("{a,b}.txt", "a.txt b.txt docs/a.txt"),
    ("{a.txt,docs/img}", "a.txt docs/img/docs/c.txt docs/img/logo.png"),
    ("{docs/,src/}*", f"{SHOWN_DOCS} src/app.py"),
    ("{a\\,b,zz}", "a,b"),
    ("{{a,b},zz}.txt", "a.txt b.txt docs/a.txt"),
    ("{a,b", ""),
    ("b}", ""),
    ("{}", ALL),
    ("!neg.md", "!neg.md"),
    ("!docs/faq.md", ""),
    ("!docs", ""),
    ("link", "link"),
    ("link/", "link"),
    ("link/*", SHOWN_DOCS),
    ("alias", "alias"),
    ("alias/", ""),
    ("**/img/..", ""),
    ("docs/..", ALL),
    (".", ALL),
    ("..", ""),
    ("../docs", ""),
    ("/", ALL),
    ("**/", ALL),
    ("~", ""),
)
# One run for all entries: how the compiler makes its globs, and what FileUtils.rm_rf would take.
RUBY = r"""
require "json"
root = File.realpath(ARGV[0])
files = JSON.parse(ARGV[1])
entries = JSON.parse(STDIN.read)
answers = entries.map do |entry|
  globs = entry.include?("/") ? [File.join(root, entry)]
                              : [File.join(root, entry), File.join(root, "**", entry)]
  gone = Dir[*globs].map { |path| File.expand_path(path) }
  gone = gone.select { |path| path == root || path.start_with?(root + "/") }
  gone = gone.map { |path| File.join(File.realpath(File.dirname(path)), File.basename(path)) }
  files.select do |file|
    path = File.join(root, file)
    gone.any? { |one| path == one || path.start_with?(one + "/") }
  end
end
puts JSON.generate(answers)
"""


def gone(text: str | bytes, *, files: tuple[str, ...] = FILES) -> set[str]:
    content = text if isinstance(text, bytes) else text.encode()
    return set(slugignore.removed(content, files, LINKS).by)


def notes(text: str | bytes, *, files: tuple[str, ...] = FILES) -> str:
    content = text if isinstance(text, bytes) else text.encode()
    return "\n".join(slugignore.removed(content, files, LINKS).notes)


# --------------------------------------------------------------------------- the globs


@pytest.mark.parametrize(("entry", "removed"), REAL, ids=[entry for entry, _ in REAL])
def test_an_entry_removes_what_rubys_dir_finds(entry: str, removed: str) -> None:
    assert gone(entry) == set(removed.split())


@pytest.mark.skipif(shutil.which("ruby") is None, reason="Ruby is not installed")
def test_the_table_is_what_ruby_answers_here(tmp_path: Path) -> None:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name in LINKS:
            path.symlink_to(LINKS[name])
        else:
            path.write_text("x")
    done = subprocess.run(
        ["ruby", "-Ku", "-e", RUBY, str(tmp_path), json.dumps(FILES)],
        input=json.dumps([entry for entry, _ in REAL]),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers = [set(answer) for answer in json.loads(done.stdout)]
    assert answers == [set(removed.split()) for _, removed in REAL]


def test_alternatives_that_multiply_are_refused_with_their_line() -> None:
    with pytest.raises(UsageError, match=r"^\.slugignore:2: \{a,b\}.* takes too long to match$"):
        gone("a\n" + "{a,b}" * 40)


def test_many_stars_do_not_take_for_ever() -> None:
    name = "a" * 60
    assert gone("*a" * 30 + "b", files=(name,)) == set()


def test_deep_wildcards_visit_each_folder_once() -> None:
    deep = "d/" * 40 + "x"
    assert gone("**/*/" * 20 + "nothing", files=(deep,)) == set()


def test_links_in_a_circle_end() -> None:
    links = {"one": "two", "two": "one"}
    found = slugignore.removed(b"one/*\ntwo/", ("one", "two", "kept"), links)
    assert not found.by


def test_a_link_to_outside_is_removed_itself_and_never_entered() -> None:
    links = {"out": "/etc", "up": "../other"}
    found = slugignore.removed(b"out/*\nup/*\nout", ("out", "up"), links)
    assert set(found.by) == {"out"}


# --------------------------------------------------------------------------- the file


def test_each_word_of_a_line_is_an_entry() -> None:
    assert gone("a.txt src\t.env\n") == {"a.txt", "docs/a.txt", "src/app.py", ".env"}


def test_windows_line_ends_are_blanks() -> None:
    assert gone("src\r\n.env\r\n") == {"src/app.py", ".env"}


def test_a_comment_removes_nothing() -> None:
    assert gone("#src\n# src\n.env # not src\n") == {".env"}


def test_an_entry_ends_at_a_hash() -> None:
    assert gone("src#old") == {"src/app.py"}


def test_words_in_a_comment_that_heroku_may_take_for_entries_are_told() -> None:
    said = notes("# the src folder\n")
    assert "src (line 1) may remove 1 file" in said
    assert "words in a comment" in said


def test_a_comment_about_what_is_removed_anyway_is_not_told() -> None:
    assert "comment" not in notes("# src is for development\nsrc\n")


def test_the_first_entry_that_removes_a_file_is_the_one_named() -> None:
    found = slugignore.removed(b"*.md\n\nsrc\n*.py", FILES)
    assert found.by["src/app.py"].where == "line 3: src"


def test_a_negation_is_told_to_have_no_effect() -> None:
    assert gone("docs/*\n!docs/faq.md") >= {"docs/faq.md"}
    assert "line 2: !docs/faq.md has no effect: .slugignore does not support negation" in notes(
        "docs/*\n!docs/faq.md"
    )


def test_entries_that_match_nothing_are_told_in_one_note() -> None:
    said = notes("node_modules\n*.log\nsrc\n")
    assert said == (
        ".slugignore: 2 entries match no pushed file: node_modules (line 1) and *.log (line 2)"
    )


def test_an_entry_that_leaves_the_folder_is_told() -> None:
    assert "line 1: ../docs has no effect: it is outside the app's folder" in notes("../docs")


@pytest.mark.parametrize("entry", [".*", "/", "docs/..", "."])
def test_an_entry_that_removes_the_whole_app_is_told(entry: str) -> None:
    assert "removes the whole app" in notes(entry)


def test_all_files_by_a_star_is_not_called_the_app_folder() -> None:
    assert "whole app" not in notes("*")


def test_a_byte_order_mark_spoils_the_first_entry_and_is_told() -> None:
    content = b"\xef\xbb\xbfsrc\n.env\n"
    assert gone(content) == {".env"}
    assert "byte order mark" in notes(content)


def test_utf_16_is_told() -> None:
    assert "UTF-16" in notes("src\n".encode("utf-16"))


def test_a_file_that_is_not_utf_8_is_told_and_read_as_far_as_it_goes() -> None:
    content = b"caf\xe9\nsrc\n"
    assert gone(content) == {"src/app.py"}
    assert "not UTF-8" in notes(content)


def test_an_entry_in_raw_bytes_matches_a_name_in_the_same_bytes() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert gone(b"caf\xe9", files=(name,)) == {name}


def test_an_empty_file_removes_and_says_nothing() -> None:
    assert gone("") == set()
    assert notes("\n  \n#\n") == ""


def test_what_a_note_repeats_is_short_and_cannot_steer_a_terminal() -> None:
    said = notes("\x1b[31mred" + "x" * 500)
    assert "\x1b" not in said
    assert len(said) < 200
