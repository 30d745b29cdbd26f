"""Model files on this machine: which files they are, how they are shown, what they compress to."""

from __future__ import annotations

import os
import random
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from slugcheck.errors import MeasureError, UsageError
from slugcheck.model import Basis, ModelPlace
from slugcheck.project import models, onnx_files
from slugcheck.project.archive import Member
from slugcheck.project.models import Named, find, is_model, measure, unpushed
from tests.support.commands import slugcheck

MIB = 2**20


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def put(folder: Path, *names: str, content: bytes = b"weights") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def members(folder: Path, *names: str) -> tuple[Member, ...]:
    sizes = {name: (folder / name).stat().st_size for name in names}
    return tuple(Member(path=name, disk=folder / name, size=sizes[name]) for name in names)


def found(base: Path, *texts: str) -> list[str]:
    """The shown paths of what texts name, without an app."""
    named = [Named(text=text, base=base) for text in texts]
    return [one.shown for one in find(named, None).local]


# --------------------------------------------------------------------------- ONNX weights beside


def onnx_with_weights(folder: Path, name: str, weights: str) -> None:
    """Write a real ONNX model whose tensor is in another file."""
    values = np.arange(40_000, dtype=np.float32)
    tensor = onnx.numpy_helper.from_array(values, "w")
    inner = onnx.numpy_helper.from_array(values, "inner")
    onnx.external_data_helper.set_external_data(tensor, weights)
    onnx.external_data_helper.set_external_data(inner, f"{weights}.inner")
    for own in (tensor, inner):
        own.ClearField("raw_data")
        own.data_location = onnx.TensorProto.EXTERNAL
    node = onnx.helper.make_node("Constant", [], ["y"], value=inner)
    graph = onnx.helper.make_graph([node], "g", [], [], [tensor])
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())
    for file in (weights, f"{weights}.inner"):
        (path.parent / file).write_bytes(values.tobytes())


def test_weights_beside_an_onnx_model_are_models_by_any_name_and_counted_once(here: Path) -> None:
    onnx_with_weights(here, "m/net.onnx", "blob")
    put(here, "m/other", "app.py")
    app = members(here, "app.py", "m/net.onnx", "m/blob", "m/blob.inner", "m/other")
    sources = find((), here, app)
    assert sources.in_app == {"m/net.onnx", "m/blob", "m/blob.inner"}
    by_path = {model.path: model for model in measure(sources)}
    assert by_path["m/blob"].bytes == 160_000
    assert by_path["m/blob"].method == "weights of m/net.onnx, compressed whole"
    assert sources.missing == ()


def test_weights_of_a_branch_inside_a_node_are_found_too(here: Path) -> None:
    """If, Loop and Scan hold graphs of their own, and an attribute may be a list of either."""

    def outside(name: str) -> onnx.TensorProto:
        made: onnx.TensorProto = onnx.numpy_helper.from_array(np.zeros(4, np.float32), name)
        onnx.external_data_helper.set_external_data(made, name)
        made.ClearField("raw_data")
        made.data_location = onnx.TensorProto.EXTERNAL
        return made

    def graph(name: str) -> onnx.GraphProto:
        return onnx.helper.make_graph([], name, [], [], [outside(name)])

    attributes: dict[str, Any] = {
        "one": graph("graph"), "many": [graph("graphs.0"), graph("graphs.1")],
        "value": outside("tensor"), "values": [outside("tensors.0"), outside("tensors.1")],
    }  # fmt: skip
    node = onnx.helper.make_node("If", ["c"], ["y"], **attributes)
    whole = onnx.helper.make_graph([node], "g", [], [], [outside("initializer")])
    path = here / "net.onnx"
    path.write_bytes(onnx.helper.make_model(whole).SerializeToString())
    assert set(onnx_files.external_files(path)) == {
        "initializer", "graph", "graphs.0", "graphs.1", "tensor", "tensors.0", "tensors.1",
    }  # fmt: skip


def test_weights_come_with_a_model_that_is_named_alone(here: Path) -> None:
    onnx_with_weights(here, "far/net.onnx", "net.onnx.data")
    assert found(here, "far/net.onnx") == [
        "far/net.onnx", "far/net.onnx.data", "far/net.onnx.data.inner",
    ]  # fmt: skip


def test_weights_that_are_not_pushed_are_missing(here: Path) -> None:
    onnx_with_weights(here, "m/net.onnx", "blob")
    sources = find((), here, members(here, "m/net.onnx", "m/blob"))
    assert sources.missing == (("m/blob.inner", "m/net.onnx"),)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "link", "a/../../secret"])
def test_weights_never_lead_out_of_the_models_folder(here: Path, name: str) -> None:
    onnx_with_weights(here, "m/net.onnx", "w")
    path = here / "m/net.onnx"
    model = onnx.load(path, load_external_data=False)
    model.graph.initializer[0].external_data[0].value = name
    path.write_bytes(model.SerializeToString())
    put(here, "secret")
    (here / "m/link").symlink_to(here / "secret")
    sources = find((), here, members(here, "m/net.onnx", "m/w.inner"))
    assert sources.in_app == {"m/net.onnx", "m/w.inner"}
    assert sources.missing == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x3a",
        b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x3a\x80\x80\x80\x80\x08" + b"x" * 100,
        b"\x3a\x82\x80\x80\x01" + b"\x08\x01" * 1_048_577,
        bytes(range(256)) * 50,
    ],
)
def test_a_broken_or_endless_onnx_model_names_no_weights(here: Path, content: bytes) -> None:
    put(here, "a.onnx", content=content)
    assert onnx_files.external_files(here / "a.onnx") == ()


def test_an_onnx_model_of_endless_fields_is_not_read_to_the_end(here: Path) -> None:
    onnx_with_weights(here, "net.onnx", "blob")
    path = here / "net.onnx"
    real = path.read_bytes()
    path.write_bytes(b"\x08\x08" * 1_000 + real)  # the model's version, again and again
    assert onnx_files.external_files(path) == ("blob", "blob.inner")
    path.write_bytes(b"\x08\x08" * 400_000 + real)
    assert onnx_files.external_files(path) == ()


# --------------------------------------------------------------------------- known kinds


@pytest.mark.parametrize(
    "name",
    ["a.onnx", "x/b.PT", "c.safetensors", "d.onnx.data", "d.onnx_data", "e.gguf", "f.joblib"],
)
def test_known_kinds_are_recognised_by_their_names(name: str) -> None:
    assert is_model(name)


@pytest.mark.parametrize("name", ["onnx", "a.onnx.py", "a.onnx.md5", "model.json", "pt/readme.md"])
def test_other_files_are_no_models(name: str) -> None:
    assert not is_model(name)


def test_known_kinds_among_the_apps_files_need_no_flag(here: Path) -> None:
    put(here, "app.py", "models/a.onnx", "models/a.onnx.data")
    app = members(here, "app.py", "models/a.onnx", "models/a.onnx.data")
    assert find((), here, app).in_app == {"models/a.onnx", "models/a.onnx.data"}


def test_a_saved_model_among_the_apps_files_is_a_model_with_its_weights(here: Path) -> None:
    names = ("app.py", "net/saved_model.pb", "net/variables/variables.index", "network/a.txt")
    put(here, *names)
    inside = find((), here, members(here, *names)).in_app
    assert inside == {"net/saved_model.pb", "net/variables/variables.index"}


# --------------------------------------------------------------------------- what is named


def test_a_named_file_counts_whatever_its_kind(here: Path) -> None:
    put(here, "weights.xyz")
    assert found(here, "weights.xyz") == ["weights.xyz"]


def test_a_folder_stands_for_the_known_kinds_below_it(here: Path) -> None:
    put(here, "m/a.onnx", "m/deep/b.pt", "m/README.md")
    assert found(here, "m") == ["m/a.onnx", "m/deep/b.pt"]


def test_a_saved_model_counts_with_all_files_below_it(here: Path) -> None:
    put(here, "m/net/saved_model.pb", "m/net/variables/variables.data-00000-of-00001", "m/notes.md")
    expected = ["m/net/saved_model.pb", "m/net/variables/variables.data-00000-of-00001"]
    assert found(here, "m") == expected
    assert found(here, "m/net") == expected


def test_globs_go_through_folders(here: Path) -> None:
    put(here, "m/a.onnx", "m/deep/er/b.onnx", "m/c.txt")
    assert found(here, "m/**/*.onnx") == ["m/a.onnx", "m/deep/er/b.onnx"]
    assert found(here, "m/*.txt") == ["m/c.txt"]


def test_a_name_that_looks_like_a_glob_is_a_name_first(here: Path) -> None:
    put(here, "model[1].onnx", "model1.onnx")
    assert found(here, "model[1].onnx") == ["model[1].onnx"]


def test_relative_paths_start_from_the_given_folder(here: Path) -> None:
    put(here, "sub/a.onnx")
    assert found(here / "sub", "a.onnx", "*.onnx") == ["sub/a.onnx"]


def test_a_home_folder_is_understood(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    put(here, "m/a.onnx")
    assert found(here / "elsewhere", "~/m/*.onnx") == ["m/a.onnx"]


def test_whatever_names_a_file_twice_counts_it_once(here: Path) -> None:
    put(here, "m/a.onnx")
    (here / "link.onnx").symlink_to("m/a.onnx")
    app = members(here, "m/a.onnx")
    texts = ("m/a.onnx", "./m/../m/a.onnx", "m", "m/*", str(here / "m/a.onnx"), "link.onnx")
    once = find([Named(text=text, base=here) for text in texts], here, app)
    assert [(one.shown, one.member is not None) for one in once.local] == [("m/a.onnx", True)]


def test_links_to_folders_are_followed_and_a_loop_ends(here: Path) -> None:
    put(here, "store/v3/a.onnx", "m/b.onnx")
    (here / "m" / "latest").symlink_to("../store/v3")
    (here / "m" / "loop").symlink_to("..")
    assert found(here, "m") == ["m/b.onnx", "m/latest/a.onnx"]


def test_addresses_of_servers_are_kept_apart_and_once(here: Path) -> None:
    texts = ("s3://bucket/a.onnx", "s3://bucket/a.onnx", "GS://bucket/*.pt", "https://host/x.bin")
    urls = find([Named(text=text, base=here) for text in texts], None).remote
    assert [one.text for one in urls] == ["s3://bucket/a.onnx", *texts[2:]]


# --------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("none.onnx", "--model none.onnx: file not found"),
        ("m/*.none", "--model m/*.none: no match"),
        ("docs", "--model docs: no file of a known kind in this folder"),
        ("", "--model is empty"),
        ("ftp://host/a.onnx", "--model ftp://host/a.onnx: ftp:// is not supported"),
        ("~nobody-of-that-name/a", "--model ~nobody-of-that-name/a cannot be read: no su"),
        ("x" * 5000, "file not found|File name too long"),
        ("gone.onnx", "gone.onnx"),
        ("nul\0.onnx", "file not found"),
        ("esc\x1b31m.onnx", r"esc\\x1b31m.onnx: file not found"),
    ],
)
def test_what_names_no_model_is_a_usage_error_with_a_hint(
    here: Path, text: str, message: str
) -> None:
    put(here, "docs/a.md")
    (here / "gone.onnx").symlink_to("nowhere")
    pattern = message if "|" in message or "\\" in message else message.replace("*", r"\*")
    with pytest.raises(UsageError, match=pattern) as caught:
        found(here, text)
    assert caught.value.hint
    assert len(str(caught.value)) < 400


def test_every_mistake_is_told(here: Path) -> None:
    with pytest.raises(UsageError) as caught:
        found(here, "one.onnx", "two/*", "ftp://three")
    assert [word in str(caught.value) for word in ("one.onnx", "two/*", "ftp://three")] == [
        True
    ] * 3


def test_a_pipe_is_no_model_and_nothing_waits_for_it(here: Path) -> None:
    os.mkfifo(here / "pipe.onnx")
    with pytest.raises(UsageError, match=r"pipe.onnx is not a regular file"):
        found(here, "*.onnx")


def test_a_missing_model_ends_the_command_with_2(here: Path) -> None:
    put(here, "requirements.txt", content=b"flask==3.1.2\n")
    done = slugcheck("requirements.txt", "--model", "m/*.onnx")
    assert done.code == 2
    assert "--model m/*.onnx: no match" in done.err
    assert "quote a glob" in done.err
    assert "Traceback" not in done.err


# --------------------------------------------------------------------------- how they are shown


def test_shown_paths_start_from_the_app_or_the_current_folder(here: Path, tmp_path: Path) -> None:
    put(tmp_path, "app/m/a.onnx", "beside.onnx", "here/b.onnx", "far/away/in/c.onnx")
    texts = ("../app/m/a.onnx", "../beside.onnx", "b.onnx")
    named = [Named(text=text, base=here) for text in texts]
    shown = [one.shown for one in find(named, tmp_path / "app").local]
    assert shown == ["../beside.onnx", "b.onnx", "m/a.onnx"]


def test_a_path_from_far_away_is_shown_by_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "secret/models/c.onnx")
    (tmp_path / "1/2/3").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "1/2/3")
    assert found(tmp_path, "secret/models/c.onnx") == ["…/models/c.onnx"]


def test_models_that_a_push_does_not_bring_are_found(here: Path) -> None:
    put(here, "a.onnx", "b.onnx", "c.txt")
    counted = find((), here, members(here, "a.onnx"))
    assert unpushed(here, counted, ("a.onnx", "b.onnx", "c.txt")) == ("b.onnx",)


# --------------------------------------------------------------------------- compressing


def test_a_small_model_is_compressed_whole_and_so_measured(here: Path) -> None:
    content = random.Random(1).randbytes(200_000) + bytes(100_000)
    put(here, "a.onnx", content=content)
    (only,) = measure(find([Named(text="a.onnx", base=here)], None))
    assert (only.bytes, only.place, only.method) == (300_000, ModelPlace.LOCAL, "compressed whole")
    assert only.slug.basis is Basis.MEASURED
    assert only.slug.value == pytest.approx(len(zlib.compress(content, 6)), rel=0.001)


def test_an_empty_model_is_measured_too(here: Path) -> None:
    put(here, "a.onnx", content=b"")
    (only,) = measure(find([Named(text="a.onnx", base=here)], None))
    assert (only.bytes, only.slug.basis) == (0, Basis.MEASURED)
    assert only.slug.value < 20


def test_a_model_named_through_a_link_is_measured(here: Path) -> None:
    put(here, "store/blob", content=bytes(50_000))
    (here / "latest.onnx").symlink_to("store/blob")
    (only,) = measure(find([Named(text="latest.onnx", base=here)], None))
    assert (only.path, only.bytes) == ("latest.onnx", 50_000)


def test_of_an_apps_file_the_content_that_is_pushed_counts(here: Path) -> None:
    put(here, "a.onnx", content=bytes(9_000))
    pointer = Member(path="a.onnx", disk=here / "a.onnx", size=7, content=b"pointer")
    (only,) = measure(find((), here, (pointer,)))
    assert (only.bytes, only.place) == (7, ModelPlace.APP)
    assert only.slug.value < 30


@pytest.mark.slow
def test_a_large_model_is_judged_by_a_sample_whose_interval_holds_the_truth(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Layers that compress differently, as a model's do; the limit lowered, or this takes long."""
    monkeypatch.setattr(models, "LOCAL_WHOLE_BYTES", MIB)
    source = random.Random(2)
    blocks = [source.randbytes(MIB - n % 32 * 4096).ljust(MIB, b"\0") for n in range(80)]
    path = here / "a.onnx"
    path.write_bytes(b"".join(blocks))
    slug, method = models.size_of_file(path, 80 * MIB)
    truth = sum(len(zlib.compress(block, 1)) for block in blocks)  # level 1 does on random bytes
    assert method == "from a sample of 64 of 80 MiB"
    assert slug.basis is Basis.PREDICTED
    assert slug.low < truth < slug.high
    assert slug.percent < 5


def test_a_sampled_model_that_shrinks_meanwhile_is_an_error(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "LOCAL_WHOLE_BYTES", MIB)
    put(here, "a.onnx", content=bytes(3 * MIB))
    with pytest.raises(MeasureError, match="shrank"):
        models.size_of_file(here / "a.onnx", 80 * MIB)


@pytest.mark.parametrize("large", [False, True])
def test_a_model_that_goes_away_meanwhile_is_an_error(
    here: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    monkeypatch.setattr(models, "LOCAL_WHOLE_BYTES", 0 if large else MIB)
    put(here, "a.onnx")
    gone = find([Named(text="a.onnx", base=here)], None)
    (here / "a.onnx").unlink()
    with pytest.raises(MeasureError, match=r"a.onnx cannot be read: No such file"):
        measure(gone)
