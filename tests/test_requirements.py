"""Requirements files: every construct of pip's format, and no line lost."""

from __future__ import annotations

import codecs
import hashlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slugcheck.errors import RequirementsError
from slugcheck.model import Requirement, RequirementSet
from slugcheck.model.options import Variables
from slugcheck.packages.requirements.files import read
from slugcheck.packages.requirements.grammar import shown
from tests.support.users import as_nobody

WHEEL = "foo-1.2-py3-none-any.whl"


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder with the names that the tests' files use unset."""
    monkeypatch.chdir(tmp_path)
    for name in ("TOKEN", "OTHER"):
        monkeypatch.delenv(name, raising=False)


def put(name: str, content: str | bytes = "") -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def of(content: str | bytes, *env: str) -> RequirementSet:
    return read(put("requirements.txt", content), variables=Variables.allowed(env))


def only(content: str | bytes) -> Requirement:
    found = of(content)
    assert not found.set_aside
    assert len(found.requirements) == 1
    return found.requirements[0]


def refusal(content: str | bytes, *env: str) -> RequirementsError:
    with pytest.raises(RequirementsError) as caught:
        of(content, *env)
    assert caught.value.hint
    assert caught.value.exit_code == 2
    return caught.value


# --------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("Flask", "flask"),
        ("Zope.Interface==5", "zope-interface==5"),
        ("a[B_c,d] >= 1, <2", "a[b-c,d]<2,>=1"),
        ("a (>=1)", "a>=1"),
        ("a==1.*", "a==1.*"),
        ("a===2012-weird", "a===2012-weird"),
        ("a ; sys_platform=='win32'", 'a ; sys_platform == "win32"'),
        ("a==1;python_version<'3.9'", 'a==1 ; python_version < "3.9"'),
        ("a ;", "a"),
        ("\ta==1  # why", "a==1"),
        ("a==1 --hash=sha256:ab --config-settings=x=y -C z=1", "a==1"),
    ],
)
def test_a_line_becomes_a_line_for_the_resolver(line: str, text: str) -> None:
    assert only(line).text == text


def test_the_parts_of_a_line_are_apart() -> None:
    found = only('Uvicorn[Standard]>=0.3 ; python_version > "3" --hash=sha256:ab')
    assert (found.name, found.extras, found.specifier) == ("uvicorn", ("standard",), ">=0.3")
    assert found.marker == 'python_version > "3"'
    assert found.hashes == ("sha256:ab",)
    assert str(found.origin) == "requirements.txt:1"


def test_a_hash_sign_inside_a_word_begins_no_comment() -> None:
    assert "#b" in str(refusal("a#b"))
    assert only("https://h.example/x.zip#egg=b").name == "b"


def test_hashes_on_continuation_lines_belong_to_the_first() -> None:
    found = of(
        "# made by a tool\na==1 \\\n    --hash=sha256:aa \\\n    --hash=sha512:bb\n\nb==2 "
        "\\\n  --hash sha256:cc  # why\nc==3 --hash=sha256:dd"
    )
    assert [r.hashes for r in found.requirements] == [
        ("sha256:aa", "sha512:bb"),
        ("sha256:cc",),
        ("sha256:dd",),
    ]
    assert [r.origin.line for r in found.requirements] == [2, 6, 8]
    assert found.options.require_hashes


def test_duplicates_are_all_kept_for_the_resolver_to_judge() -> None:
    found = of("six==1\nSIX==1\nsix==2\n")
    assert [r.origin.line for r in found.requirements] == [1, 2, 3]


# --------------------------------------------------------------------------- text


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
def test_encodings_and_line_ends_change_nothing(ends: str, mark: bytes, encoding: str) -> None:
    text = ends.join(["# é", "a==1", "", "b==2 \\", " --hash=sha256:ab", "c"])
    found = of(mark + text.encode(encoding))
    assert [(r.text, r.origin.line) for r in found.requirements] == [
        ("a==1", 2),
        ("b==2", 4),
        ("c", 6),
    ]


def test_a_coding_comment_is_honoured() -> None:
    assert only(b"# -*- coding: latin-1 -*-\na==1  # \xe9").text == "a==1"
    assert "no-such-code" in str(refusal(b"# coding: no-such-code\na"))


def test_a_form_feed_ends_a_line_for_pip_but_not_for_an_editor() -> None:
    found = of("a\x0cb\nc")
    assert [(r.name, r.origin.line) for r in found.requirements] == [("a", 1), ("b", 1), ("c", 2)]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"PK\x03\x04\x00\x00", "not a text file"),
        ("a==1\n".encode("utf-16-le"), "not a text file"),
        (b"a==1\nb\xff\n", "UTF-8"),
        (codecs.BOM_UTF16_LE + b"a\x00\x00\x00b\x00", "not a text file"),
        (codecs.BOM_UTF16_LE + b"a\x00b", "UTF-16"),
        (b"# coding: raw_unicode_escape\na  # \\ud800", "raw_unicode_escape"),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, word: str) -> None:
    assert word in str(refusal(content))


@pytest.mark.parametrize("content", ["", "# only this\n", "\n \t\n", "--pre\n", "-c c.txt"])
def test_a_file_without_requirements_says_so(content: str) -> None:
    put("c.txt", "a<1")
    assert str(refusal(content)) == "requirements.txt contains no requirements"


def test_a_file_that_is_not_there_or_a_folder() -> None:
    with pytest.raises(RequirementsError, match=r"^no\.txt does not exist$") as caught:
        read(Path("no.txt"))
    assert caught.value.hint == "check the name"
    put("app/requirements.txt", "a")
    with pytest.raises(RequirementsError, match="app is a folder") as caught:
        read(Path("app"))
    assert caught.value.hint is not None
    assert "app/requirements.txt" in caught.value.hint


def test_a_file_that_may_not_be_read() -> None:
    with as_nobody() as folder:
        path = folder / "requirements.txt"
        path.write_text("a")
        path.chmod(0)
        with pytest.raises(RequirementsError, match="cannot be read: Permission denied"):
            read(path)


# --------------------------------------------------------------------------- refused lines


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("a = 1", "write =="),
        ("a=1=py39", "write =="),
        ("a==2012j", "2012j is not a valid version"),
        ("a>=1.0,<2012j", "2012j is not a valid version"),
        ("a b", "'a b'"),
        ("a ; python_version > 3", "marker"),
        ("<<<<<<< HEAD", "merge conflict"),
        ("// comment", "'// comment'"),
        ("a==1 --hash=md5:ab", "sha256"),
        ("a==1\t--hash=sha256:ab", "refuses"),
        ("a==1 -C nothing", "KEY=VALUE"),
        ("a==1 --global-option=x", "no such option: --global-option"),
        ("--no-use-wheel", "no such option"),
        ("--requirements b.txt", "no such option"),
        ("-r 'b.txt", "quotation"),
        ("--index-url", "requires 1 argument"),
        ("--index-url pypi.example/simple", "https://"),
        ("--index-url 'https://h.example/a b'", "no URL can have"),
        ("--trusted-host=--offline", "host"),
        ("-e a", "folder"),
        ("-e git+https://h.example/x.git", "name is missing"),
        ("git+https://h.example/x.git#egg=a[b]", "is not a name"),
        ("a @ git+https://h.example/x.git#egg=a[b]", "is not a name"),
        ("git://h.example/x.git", "refuses"),
        ("a @ ./b", "https://"),
        ("a @ ftp://h.example/x.zip", "https://"),
        ("https://h.example/a-1.whl", "not a valid wheel filename"),
        (f"bar @ https://h.example/{WHEEL}", "the wheel is foo"),
    ],
)
def test_a_line_that_pip_refuses_is_an_error_with_its_place(line: str, word: str) -> None:
    message = str(refusal(f"six\n{line}\n"))
    assert message.startswith("requirements.txt:2: ")
    assert word in message
    assert "\n" not in message


def test_all_mistakes_are_reported_at_once_up_to_five() -> None:
    put("base.txt", "x\nb ad\n")
    message = str(refusal("-r base.txt\n-r none.txt\n" + "c ad\n" * 5))
    lines = message.splitlines()
    assert lines[0].startswith("base.txt:2: ")
    assert lines[1] == "requirements.txt:2: the included none.txt does not exist"
    assert [line.partition(": ")[0] for line in lines[2:5]] == [
        f"requirements.txt:{number}" for number in (3, 4, 5)
    ]
    assert lines[5:] == ["and 2 more"]


def test_a_refused_line_is_shortened_and_its_control_characters_are_escaped() -> None:
    message = str(refusal("a \x1b[31m\u202e " + "x" * 500))
    assert message.isprintable()
    assert r"\x1b[31m\u202e" in message
    assert len(message) < 400


@pytest.mark.parametrize(
    "line",
    [
        "a b https://user:secret@h.example/x",
        "a b https://secret@h.example/x",
        "a b https://user:se/secret@h.example/x",
        "a b https://user:1/secret@h.example/x",
        "--bad https://user:secret",
        "--bad https://user:se secret@h.example/x",
        "--trusted-host user:secret@h.example",
        "--index-url user:secret@h.example/simple",
        "--index-url 'https://user:se secret@h.example'",
        "a b https://h.example/x?key=secret",
        "-r https://user:secret@h.example/r.txt",
        "-r none/https://user:secret@h.example",
    ],
)
def test_no_message_holds_a_credential(line: str) -> None:
    message = str(refusal(line))
    assert "secret" not in message
    assert message.startswith("requirements.txt:1: ")


def test_what_is_shown_still_says_where() -> None:
    assert (
        shown("git+https://u:p@h.example/x.git@v1 ") == "git+https://***@v1 "
    )  # rather too little
    assert shown("git+https://h.example/x.git@v1") == "git+https://h.example/x.git@v1"
    assert shown("http://h.example:8080/x") == "http://h.example:8080/x"


# --------------------------------------------------------------------------- includes


def test_includes_are_relative_to_the_file_that_includes_them() -> None:
    put("app/reqs/prod.txt", "-r ../base.txt\nb\n-c more/cons.txt\n")
    put("app/base.txt", "\n# base\na==1\n")
    put("app/reqs/more/cons.txt", "a<2\nb<3\n-r ../extra.txt\n")
    put("app/reqs/extra.txt", "c")
    found = read(Path("app/reqs/prod.txt"))
    assert [(r.text, str(r.origin)) for r in found.requirements] == [
        ("a==1", "app/base.txt:3"),
        ("b", "app/reqs/prod.txt:2"),
        ("c", "app/reqs/extra.txt:1"),  # as in pip: -r inside -c asks for it
    ]
    assert [(r.text, str(r.origin)) for r in found.constraints] == [
        ("a<2", "app/reqs/more/cons.txt:1"),
        ("b<3", "app/reqs/more/cons.txt:2"),
    ]
    files = ["reqs/prod.txt", "base.txt", "reqs/more/cons.txt", "reqs/extra.txt"]
    content = b"".join(Path("app", name).read_bytes() for name in files)
    assert found.sha256 == hashlib.sha256(content).hexdigest()


def test_another_name_for_the_top_file_names_its_includes_too(tmp_path: Path) -> None:
    put("copy/requirements.txt", "-r sub/base.txt\nb")
    put("copy/sub/base.txt", "a")
    found = read(tmp_path / "copy/requirements.txt", cwd_name="web/requirements.txt")
    assert found.path == "web/requirements.txt"
    assert [r.origin.file for r in found.requirements] == [
        "web/sub/base.txt",
        "web/requirements.txt",
    ]


def test_includes_by_file_url_quotes_and_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("two words.txt", "a")
    put("b.txt", "b")
    put("c.txt", "c")
    monkeypatch.setenv("TOKEN", "b")
    text = f'-r "two words.txt"\n-r${{TOKEN}}.txt\n-r {(tmp_path / "c.txt").as_uri()}\n'
    found = of(text, "TOKEN")
    assert [r.name for r in found.requirements] == ["a", "b", "c"]


def test_a_file_included_twice_is_read_once() -> None:
    put("a.txt", "-r base.txt\na")
    put("b.txt", "-r base.txt\nb")
    put("base.txt", "x\ngit+https://h.example/y.git")
    found = of("-r a.txt\n-r b.txt\n-c base.txt")
    assert [r.name for r in found.requirements] == ["x", "a", "b"]
    assert [r.name for r in found.constraints] == ["x"]
    assert [u.name for u in found.set_aside] == ["y"]


def test_includes_that_run_in_a_circle() -> None:
    put("sub/b.txt", "b\n-r ../requirements.txt\n")
    assert "sub/b.txt:2: the includes form a loop" in str(refusal("a\n-r sub/b.txt"))
    assert "requirements.txt:1: the includes form a loop" in str(refusal("-r requirements.txt"))


def test_includes_from_the_network_are_not_fetched() -> None:
    error = refusal("a\n-r https://h.example/r.txt")
    assert "requirements.txt:2" in str(error)
    assert error.hint is not None
    assert "download" in error.hint


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("-e ./pkg", "editable"),
        ("./pkg", "needs a name"),
        ("a[b]<2", "cannot have extras"),
    ],
)
def test_constraints_that_pip_refuses(line: str, word: str) -> None:
    put("pkg/pyproject.toml")
    put("cons.txt", line)
    message = str(refusal("-c cons.txt\na"))
    assert message.startswith("cons.txt:1: ")
    assert word in message


def test_constraints_by_url_are_noted() -> None:
    put("cons.txt", f"https://h.example/{WHEEL}\nb @ git+https://h.example/b.git\n")
    found = of("-c cons.txt\nfoo")
    assert [(r.name, r.specifier) for r in found.constraints] == [("foo", "==1.2")]
    assert [note.partition(": ")[0] for note in found.notes] == ["cons.txt:1", "cons.txt:2"]
    assert not found.set_aside


# --------------------------------------------------------------------------- options


def test_all_options() -> None:
    put("wheels/a.txt")
    put("sub/more/a.txt")
    put("sub/base.txt", "-f more\n--trusted-host h.example:80\n")
    found = of(
        "-i https://i.example/simple\n--extra-index-url=https://e.example/simple\n"
        "--extra-index-url https://f.example/s --pre\n-f wheels\n--find-links https://l.example/\n"
        "-r sub/base.txt\n--prefer-binary\n--require-hashes\n--use-feature=fast-deps\n"
        "--no-binary :none:\na==1 --hash=sha256:ab"
    ).options
    assert found.index_url == "https://i.example/simple"
    assert found.extra_index_urls == ("https://e.example/simple", "https://f.example/s")
    assert found.find_links == (
        str(Path("wheels").resolve()),
        "https://l.example/",
        str(Path("sub/more").resolve()),
    )
    assert found.trusted_hosts == ("h.example:80",)
    assert found.prerelease
    assert found.prefer_binary
    assert found.require_hashes
    assert not found.no_index
    assert found.no_binary == ()


def test_a_later_index_replaces_all_before_it_the_extra_ones_too() -> None:
    found = of("-i https://a/\n--extra-index-url https://b/\n-i https://c/\nx")
    assert (found.options.index_url, found.options.extra_index_urls) == ("https://c/", ())
    assert any("requirements.txt:3" in note for note in found.notes)


def test_no_index_ends_the_matter() -> None:
    found = of("-i https://a/\n--extra-index-url https://b/\n--no-index\n-i https://c/\nx")
    options = found.options
    assert (options.no_index, options.index_url, options.extra_index_urls) == (True, None, ())
    assert any("requirements.txt:4" in note for note in found.notes)


def test_of_several_find_links_on_a_line_the_first_counts() -> None:
    assert of("-f https://a/ -f https://b/\nx").options.find_links == ("https://a/",)


@pytest.mark.parametrize(
    ("lines", "no_binary", "only_binary"),
    [
        ("--no-binary A_b,c", ("a-b", "c"), ()),
        ("--no-binary a,b\n--only-binary b", ("a",), ("b",)),
        ("--only-binary a\n--no-binary :all:", (":all:",), ()),
        ("--no-binary a\n--no-binary :none:", (), ()),
        ("--only-binary :all:,:none:,a", (), ("a",)),
        ("--only-binary :all:\n--no-binary a", ("a",), (":all:",)),
        ("b --no-binary b", ("b",), ()),  # counts behind a requirement too
    ],
)
def test_names_of_formats_follow_pip(
    lines: str, no_binary: tuple[str, ...], only_binary: tuple[str, ...]
) -> None:
    options = of(f"{lines}\nx").options
    assert (options.no_binary, options.only_binary) == (no_binary, only_binary)


def test_an_index_behind_a_requirement_does_nothing_and_that_is_said() -> None:
    found = of("torch>=2 --index-url https://u:secret@h.example/cpu\nsix")
    assert [r.text for r in found.requirements] == ["torch>=2", "six"]
    assert found.options.index_url is None
    assert len(found.notes) == 1
    assert found.notes[0].startswith("requirements.txt:1: pip ignores --index-url after torch>=2")
    assert "secret" not in found.notes[0]


@pytest.mark.parametrize(
    "line",
    [
        "- flask",
        "a==1 --hash=sha256:ab b",
        "-e ./pkg -e ./pkg",
        "-r base.txt -c base.txt",
        "-r base.txt --pre",
        "-f wheels -f pkg",
        "-f none",
        "--hash=sha256:ab",
        "--only-binary a,-b",
        "--extra-index-url https://$TOKEN@h.example/",
        "--only-final a",
    ],
)
def test_what_pip_passes_over_in_silence_is_noted(line: str) -> None:
    put("pkg/setup.py")
    put("wheels/a.txt")
    put("base.txt", "x\n--no-require-hashes")
    notes = of(f"{line}\nsix\n--no-require-hashes").notes
    assert len(notes) == 1
    assert notes[0].startswith("requirements.txt:1: ")


def test_a_note_about_left_over_words_holds_no_half_of_a_password() -> None:
    notes = of("--extra-index-url https://user:se secret@h.example/\nsix").notes
    assert len(notes) == 1
    assert "secret" not in notes[0]


def test_a_hash_on_one_line_requires_them_on_all() -> None:
    assert of("a==1 --hash=sha256:ab\nb==1").options.require_hashes
    assert of("--require-hashes\na==1").options.require_hashes
    assert not of("a==1 --hash=sha256:ab\nb==1\n--no-require-hashes").options.require_hashes
    # the hash of a URL implies nothing
    assert not of(f"https://h.example/{WHEEL}#sha256=ab\nb").options.require_hashes


def test_an_index_on_this_disk_is_not_taken_from_a_file() -> None:
    put("index/a/index.html")  # it could link any file of this disk
    with pytest.raises(RequirementsError, match="only on the command line"):
        of("-i index\nx")


# --------------------------------------------------------------------------- variables


def test_variables_are_filled_in_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    found = of(
        "--extra-index-url https://${TOKEN}@h.example/simple\nsix\n"
        "https://h.example/${TOKEN}/x.zip\ngit+https://${TOKEN}@h.example/y.git\n"
        "https://${OTHER}@h.example/z.zip ; python_version > '3'\n",
        "TOKEN",
        "OTHER",
    )
    assert found.options.extra_index_urls == ("https://secret@h.example/simple",)
    assert found.requirements[1].url == "https://h.example/secret/x.zip"
    assert [u.name for u in found.set_aside] == ["y", "z-zip"]
    assert "${OTHER}, which is not set" in found.set_aside[1].reason
    assert 'python_version > "3"' in found.set_aside[1].reason
    shown_parts = [found.options, found.set_aside, found.notes, found.requirements[1].text]
    assert "secret" not in repr(shown_parts)


@pytest.mark.parametrize(
    "line",
    ["-i https://${TOKEN}@h.example/", "-f https://h.example/${TOKEN}", "six==${TOKEN}"],
)
def test_an_unset_variable_is_named(line: str) -> None:
    error = refusal(f"six\n{line}", "TOKEN")
    assert "requirements.txt:2" in str(error)
    assert "uses ${TOKEN}, which is not set" in str(error)


def test_a_line_that_a_variable_spoils_does_not_show_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOKEN", "~secret")
    for line in ("six==${TOKEN}", "six --${TOKEN}", "-i ${TOKEN}", "six${TOKEN}"):
        message = str(refusal(line, "TOKEN"))
        assert "${TOKEN}" in message
        assert "secret" not in message


# --------------------------------------------------------------------------- URLs and paths


def test_direct_urls() -> None:
    found = of(
        f"https://h.example/{WHEEL}\n"
        "Bar[x] @ https://h.example/bar-2.0%2Bcpu-py3-none-any.whl ; python_version > '3'\n"
        "https://h.example/x.zip\n"
        "baz @ https://h.example/y.tar.gz#sha256=ab\n"
        "https://u:secret@h.example/z.zip#egg=Q_r\n"
    )
    assert [(r.name, r.specifier, r.extras) for r in found.requirements] == [
        ("foo", "==1.2", ()),
        ("bar", "==2.0+cpu", ("x",)),
        ("", "", ()),
        ("baz", "", ()),
        ("q-r", "", ()),
    ]
    assert [r.text for r in found.requirements] == [
        f"foo @ https://h.example/{WHEEL}",
        'bar[x] @ https://h.example/bar-2.0%2Bcpu-py3-none-any.whl ; python_version > "3"',
        "https://h.example/x.zip",
        "baz @ https://h.example/y.tar.gz#sha256=ab",
        "https://***@h.example/z.zip#egg=Q_r",  # without the password: it may be shown
    ]
    assert only("https://h.example/a;b/x.zip").url == "https://h.example/a;b/x.zip"
    assert found.requirements[3].hashes == ("sha256:ab",)
    assert found.requirements[4].url == "https://u:secret@h.example/z.zip#egg=Q_r"


@pytest.mark.parametrize(
    ("line", "name", "word"),
    [
        ("git+https://u:secret@h.example/My_App.git@main", "my-app", "git repository"),
        ("-e git+https://h.example/x.git@ab#egg=Foo.Bar", "foo-bar", "git repository"),
        ("-e git://h.example/x.git#egg=foo", "foo", "git repository"),
        ("foo @ git+ssh://git@h.example/x.git", "foo", "git repository"),
        ("-e 'foo @ git+https://h.example/x.git'", "foo", "git repository"),
        ("hg+https://h.example/x#egg=foo", "foo", "Mercurial"),
        ("certifi @ file:///croot/certifi_16714/certifi", "certifi", "name==version"),
        (f"file:///tmp/none/{WHEEL}", "foo", "name==version"),
        (r"C:\Users\me\foo-1.2-py3-none-any.whl", "foo", "name==version"),
        ("foo @ file:///C:/Users/me/foo", "foo", "name==version"),
        (r"foo @ C:\Users\me\foo.zip", "foo", "name==version"),
        ("-e /home/me/app", "app", "name==version"),
        ("-e ./gone", "gone", "-e ./gone does not exist here"),
        ("./gone/foo-1.2.tar.gz[x]", "foo", "does not exist here"),
        (f"{WHEEL}", "foo", "does not exist here"),
        ("file://host/share/foo-1.2.zip", "foo", "another host"),
        ("./empty", "empty", "not a folder with a pyproject.toml"),
        ("-e .", "requirements-app", "not a folder with a pyproject.toml"),
    ],
)
def test_what_no_size_can_have_is_set_aside_with_its_reason(
    line: str, name: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("requirements-app/empty/x.txt")
    monkeypatch.chdir(tmp_path / "requirements-app")
    found = of(f"\n{line}\nsix")
    assert [r.name for r in found.requirements] == ["six"]
    (aside,) = found.set_aside
    assert aside.name == name
    assert word in aside.reason
    assert "secret" not in aside.reason
    assert str(aside.origin) == "requirements.txt:2"
    assert aside.version in (None, "1.2")


def test_local_files_and_folders(tmp_path: Path) -> None:
    put(f"w/{WHEEL}")
    put("w/bar-1.0.tar.gz")
    put("pkg/setup.py")
    found = of(
        f"./w/{WHEEL}[Ex]\nw/bar-1.0.tar.gz ; python_version > '3'\n./pkg\n"
        "-e pkg[dev] --hash=sha256:ab\n"
        "-e file:pkg#egg=P_q\nbaz @ file:w/bar-1.0.tar.gz\n"
    )
    wheel, sdist, folder, editable, named, reference = found.requirements
    assert (wheel.name, wheel.specifier, wheel.extras) == ("foo", "==1.2", ("ex",))
    assert wheel.url == (tmp_path / "w" / WHEEL).as_uri()
    assert wheel.text == f"foo[ex] @ {wheel.url}"
    assert (sdist.name, sdist.marker) == ("", 'python_version > "3"')
    assert folder.url == editable.url == named.url == (tmp_path / "pkg").as_uri()
    assert (folder.editable, editable.editable) == (False, True)
    assert (editable.extras, editable.hashes) == (("dev",), ())
    assert not found.options.require_hashes
    assert named.name == "p-q"
    assert reference.url == sdist.url
    assert not found.notes


def test_relative_paths_are_those_of_the_app(tmp_path: Path) -> None:
    put("setup.py")
    put("reqs/prod.txt", "-e .\n-r more/base.txt")
    put("reqs/more/base.txt", "./pkg")
    put("pkg/setup.py")
    found = read(Path("reqs/prod.txt"))
    assert [r.url for r in found.requirements] == [tmp_path.as_uri(), (tmp_path / "pkg").as_uri()]


def test_a_folder_outside_the_app_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put("other/setup.py")
    put("app/x.txt")
    (tmp_path / ".git").mkdir()  # both are in one checkout
    monkeypatch.chdir(tmp_path / "app")
    found = of("-e ../other")
    assert found.requirements[0].editable
    assert "outside the app" in found.notes[0]


def test_a_loop_of_links_is_no_crash() -> None:
    Path("loop").symlink_to("loop")
    assert of("-e ./loop\nsix").set_aside[0].name == "loop"
    assert "cannot be read" in str(refusal("-r loop"))


# --------------------------------------------------------------------------- nothing is lost

ENTRIES = st.sampled_from(
    [
        "a", "B_c==1.0", "d[e,F]>=1,<2 ; python_version>'3'", "g==1  # why", "\th ~= 2.0",
        "i==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb", "j\\\n==1", "k==1 --pre",
        "https://h.example/foo-1.2-py3-none-any.whl", "m @ https://h.example/x.zip",
        "https://h.example/x.tar.gz#egg=n", "git+https://h.example/o.git@v1",
        "-e git+https://h.example/p.git#egg=p", "-e ./pkg", "./pkg[x]", "./gone", "-e /gone/q",
        "r @ file:///croot/r/work", r"C:\s\s-1.zip", "t==1 --no-binary t",
        "u==1 --hash=sha256:aa v",
    ]
)  # fmt: skip
OTHERS = st.sampled_from(
    [
        "", "   ", "# comment", "# comment \\", "--pre", "-i https://i.example/s --pre",
        "--extra-index-url https://e.example/s", "--no-binary :all:", "--only-binary a,b",
        "-f ./pkg", "--trusted-host h.example", "--require-hashes", "--use-feature=fast-deps",
        "-c cons.txt", "- w", "\\", "\x0c",
    ]
)  # fmt: skip
LINES = st.lists(st.tuples(st.booleans(), ENTRIES, OTHERS), min_size=1, max_size=12)


@settings(max_examples=50, deadline=None)
@given(
    lines=LINES,
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    final=st.booleans(),
    cut=st.integers(0, 12),
)
def test_no_line_is_lost(
    lines: list[tuple[bool, str, str]], ends: str, encoding: str, final: bool, cut: int
) -> None:
    wanted, texts, expected = [], [], []
    for is_entry, entry, other in lines:
        text = entry if is_entry else other
        # a lone backslash would join the next line to it, which is a matter of its own
        texts.append("#" if text == "\\" else text)
        wanted.append(is_entry)
    number = {"top.txt": 1, "base.txt": 1}
    top, base = texts[cut:], texts[:cut]
    for name, part, marks in (("base.txt", base, wanted[:cut]), ("top.txt", top, wanted[cut:])):
        number[name] += name == "top.txt"  # the include is its first line
        for text, is_entry in zip(part, marks, strict=True):
            if is_entry:
                expected.append((name, number[name]))
            number[name] += text.count("\n") + 1
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "pkg").mkdir()
        (place / "pkg/setup.py").touch()
        (place / "cons.txt").write_text("zz<2")
        for name, part in (("base.txt", base), ("top.txt", ["-r base.txt", *top])):
            text = "\n".join(part).replace("\n", ends) + (ends if final else "")
            (place / name).write_bytes(text.encode(encoding))
        if not expected:
            with pytest.raises(RequirementsError, match="contains no requirements"):
                read(place / "top.txt", cwd_name="top.txt")
            return
        found = read(place / "top.txt", cwd_name="top.txt")
    origins = [*(r.origin for r in found.requirements), *(u.origin for u in found.set_aside)]
    assert sorted((o.file, o.line) for o in origins if o) == sorted(expected)


# --------------------------------------------------------------------------- in whole sentences


ALONE = "it works only on its own line"


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("-e ./pkg -e ./pkg", "pip uses only the first -e on a line"),
        ("--hash=sha256:ab", "pip ignores --hash on a line without a requirement"),
        ("b --pre", f"pip ignores --pre after b; {ALONE}"),
        ("-c c.txt -r c.txt", f"pip ignores the include of c.txt after c.txt; {ALONE}"),
        ("-f pkg -f v", "pip uses only the first --find-links on a line, not v"),
        ("-f none", "pip ignores this --find-links: no such folder here"),
        ("--all-releases=b", "slugcheck ignores --all-releases and --only-final for single packag"),
        ("--only-final=b", "slugcheck ignores --all-releases and --only-final for single packages"),
        ("--no-index\n-i https://h/s", "pip ignores this index, because of --no-index"),
        ("--extra-index-url https://e/\n-i https://h/s",
         "this --index-url makes pip drop every --extra-index-url above it"),
        ("-i https://h/$x", "pip expands only ${NAME}; any other $ stays as it is"),
        ("--no-binary=a,b!c", "pip takes 'b!c' as a name, but no package can have it"),
        ("https://h/a-1-py3-none-any.whl --pre x",
         "pip ignores the last words in https://h/a-1-py3-none-any.whl"),
        ("b==1 --pre junk", "pip ignores 'junk' in b==1"),
        ("-c url.txt", "the constraint on x is a URL; only its version is used"),
        ("-c zip.txt", "the constraint on x is a URL; it has no effect here"),
        ("-c git.txt", "the constraint on x has no effect here: from a git repository; its size is "
                       "known only after a build"),
    ],
)  # fmt: skip
def test_what_pip_or_slugcheck_passes_over_is_noted(content: str, note: str) -> None:
    put("pkg/setup.py")
    put("c.txt", "x<1")
    put("url.txt", "x @ https://h/x-1-py3-none-any.whl")
    put("zip.txt", "x @ https://h/x.zip")
    put("git.txt", "git+https://h/x.git")
    found = of(f"{content}\nsix\n")
    own = [text.partition(": ")[2] for text in found.notes]
    assert note in own or any(text.startswith(note) for text in own), own


@pytest.mark.parametrize(
    ("line", "name", "reason"),
    [
        ("./none", "none", "./none does not exist here; pip fails without it"),
        ("./empty", "empty",
         "./empty is not a folder with a pyproject.toml or setup.py; pip refuses it"),
        ("-e ./page.html", "page-html",
         "-e ./page.html is not a folder with a pyproject.toml or setup.py; pip refuses it"),
        ("/abs/a-1.0.tar.gz", "a", "a path on the machine where the file was written; pip fails on "
                                   "the platform: write name==version instead"),
        ("C:\\x", "x", "a path on the machine where the file was written; pip fails on the "
                       "platform: write name==version instead"),
        ("file://host/x", "x", "file://host/x is on another host, which pip does not read"),
        ("../../outside", "outside", "../../outside is outside the checkout, so it is not read"),
        ("svn+https://h/x", "x",
         "from a Subversion repository; its size is known only after a build"),
        ("a @ git+https://h/x.git ; os_name == 'nt'", "a",
         'from a git repository; its size is known only after a build (required only if os_name == '
         '"nt")'),
        ("a @ https://${TOKEN}/b.zip", "a", "its line uses ${TOKEN}; allow it with --env TOKEN"),
    ],
)  # fmt: skip
def test_what_has_no_size_says_why(line: str, name: str, reason: str) -> None:
    put("empty/file")
    put("page.html")
    (aside,) = of(f"{line}\nsix").set_aside
    assert (aside.name, aside.reason) == (name, reason)
    assert str(aside.origin) == "requirements.txt:1"


CORRECT = "correct the line, or remove it"
ELSEWHERE = "remove the line, and name the place on the command line: -i or --find-links"


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ("--no-binary -x", "--no-binary and --only-binary need names", CORRECT),
        ("--trusted-host a/b", "--trusted-host needs a host name", CORRECT),
        ("a @ https://", "its URL has no host name", CORRECT),
        ("a; python_version", "its marker is wrong: Expected marker operator", CORRECT),
        ("-c edit.txt", "editable requirements are not allowed as constraints", CORRECT),
        ("-c extra.txt", "constraints cannot have extras", CORRECT),
        ("-c path.txt", "a constraint needs a name", CORRECT),
        ("-r https://h/x", "it includes a file from the network: https://h/x",
         "download the file and include the copy"),
        ("-r requirements.txt", "the includes form a loop at requirements.txt",
         "remove one of the includes; pip refuses loops"),
        ("-r none.txt", "the included none.txt does not exist",
         "check the name; an include is relative to the file that includes it"),
        ("-r pkg", "the included pkg is a folder", "name a requirements file"),
        ("-r lists", "the included lists is a folder",
         "name the file in it: lists/requirements.txt"),
        ("-r ../../x.txt", "requirements.txt:2 includes ../../x.txt, which",
         "include only requirements files of the same checkout"),
        ("-f page.html", "a page on this disk can be named only on the command line", ELSEWHERE),
        ("-f ../..", "its folder is outside the checkout", ELSEWHERE),
        ("-i ../x", "its folder is outside the checkout", ELSEWHERE),
        ("-i pkg", "an index on this disk can be named only on the command line", ELSEWHERE),
        ("a @ ${TOKEN}", "a @ ${TOKEN} uses ${TOKEN}; allow it with --env TOKEN",
         "the file decides where the value is sent"),
    ],
)  # fmt: skip
def test_a_refused_line_has_the_hint_that_mends_it(line: str, said: str, hint: str) -> None:
    put("pkg/setup.py")
    put("page.html")
    put("lists/requirements.txt", "a")
    put("edit.txt", "-e ./pkg")
    put("extra.txt", "x[y]<1")
    put("path.txt", "./pkg")
    error = refusal(f"six\n{line}\n")
    assert said in str(error)
    assert error.hint is not None
    assert error.hint.startswith(hint)


def test_formats_move_from_one_option_to_the_other_as_for_pip() -> None:
    cases = {
        "--no-binary=a --only-binary=:all:": ((), (":all:",)),
        "--only-binary=b\n--no-binary=:all:,:none:": ((), ()),
        "--only-binary=b\n--no-binary=:all:": ((":all:",), ()),
        "--no-binary=a,B_c\n--only-binary=b-c": (("a",), ("b-c",)),
        "--no-binary=a\n--no-binary=:none:": ((), ()),
        "--no-binary=:all:,:none:,d": (("d",), ()),
    }
    for content, (no_binary, only_binary) in cases.items():
        options = of(f"{content}\nsix").options
        assert (options.no_binary, options.only_binary) == (no_binary, only_binary), content


@pytest.mark.parametrize(
    ("content", "said", "hint"),
    [
        (b"a\x00", "is not a text file: it contains NUL bytes", "if it is UTF-16 without a byte"),
        (b"# coding: nonsense\na", "names an unknown encoding: nonsense",
         "correct the coding comment at the top"),
        (b"a\xff", "is not UTF-8 text: byte 1 cannot be decoded", "save it as UTF-8"),
        (codecs.BOM_UTF16_LE + b"a\x00\x00\x00", "is not a text file: it contains NUL characters",
         "save it as UTF-8 text"),
    ],
)  # fmt: skip
def test_what_is_no_text_has_the_hint_that_mends_it(content: bytes, said: str, hint: str) -> None:
    error = refusal(content)
    assert str(error) == f"requirements.txt {said}"
    assert error.hint is not None
    assert error.hint.startswith(hint)
