import pytest

from slugcheck.model import Kind
from slugcheck.sizing.kinds import SlugGroup, SourceClass, kind_of, slug_group, source_class

SITE = "lib/python3.11/site-packages"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (f"{SITE}/numpy/core/_multiarray.cpython-311-x86_64-linux-gnu.so", Kind.NATIVE),
        (f"{SITE}/torch/lib/libcudart.so.12.1", Kind.NATIVE),
        ("numpy.libs/libopenblas64_p-r0-0cf96a72.3.23.dev.so", Kind.NATIVE),
        ("a/b.pyd", Kind.NATIVE),
        ("a/b.DLL", Kind.NATIVE),
        ("a/tests/native.so", Kind.NATIVE),
        ("a/some.so.conf", Kind.DATA),
        ("a/tests/data/big.csv", Kind.TESTS),
        ("a/test/__init__.py", Kind.TESTS),
        ("a/conftest.py", Kind.TESTS),
        ("a/test_b.py", Kind.TESTS),
        ("a/b_test.py", Kind.TESTS),
        ("a/testing/helpers.py", Kind.PYTHON),
        ("a/latest/b.py", Kind.PYTHON),
        ("a/contest.py", Kind.PYTHON),
        ("a/b.pyi", Kind.PYTHON),
        ("a/__pycache__/b.cpython-311.pyc", Kind.BYTECODE),
        ("a-1.0.dist-info/METADATA", Kind.METADATA),
        ("a-1.0.dist-info/licenses/tests/LICENSE", Kind.METADATA),
        ("a-1.0.egg-info", Kind.METADATA),
        ("a/b.json", Kind.DATA),
        ("bin/ruff", Kind.DATA),
    ],
)
def test_kind(path: str, kind: Kind) -> None:
    assert kind_of(path) is kind


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("a/b.py", SlugGroup.PYTHON),
        ("a/b.pyi", SlugGroup.PYTHON),
        ("a/b.JS", SlugGroup.TEXT),
        ("a/locale/de/django.mo", SlugGroup.TEXT),
        ("a/LICENSE", SlugGroup.TEXT),
        ("a/.hidden", SlugGroup.TEXT),
        ("a-1.0.dist-info/anything.bin", SlugGroup.TEXT),
        ("a/b.so.1", SlugGroup.REST),
        ("a/b.png", SlugGroup.REST),
        ("bin/ruff", SlugGroup.REST),
        ("ruff-1.data/scripts/ruff", SlugGroup.REST),
    ],
)
def test_slug_group(path: str, group: SlugGroup) -> None:
    assert slug_group(path) is group


def test_source_classes() -> None:
    assert source_class("a/__init__.py") is SourceClass.INIT
    assert source_class("a/tests/__init__.py") is SourceClass.TESTS
    # written like tests, though it is imported at run time
    assert source_class("numpy/testing/utils.py") is SourceClass.TESTS
    assert source_class("a/init__.py") is SourceClass.OTHER
