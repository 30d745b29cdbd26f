"""What a build environment has: what Python and setuptools have removed, and what is not there.

Only what is certain: what may be there in one build and not in another is not told.
"""

from __future__ import annotations

import fnmatch
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packaging.utils import canonicalize_name
from packaging.version import Version

# The minor version of Python 3 that removed a module of the standard library, or a name of one
# ("What's new in Python"); 0: Python 3 never had it.
_REMOVED_MODULES: Mapping[str, int] = {
    module: minor
    for minor, modules in (
        (10, "formatter parser symbol"),
        (11, "binhex"),
        (12, "asynchat asyncore imp smtpd"),
        (13, "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib"),
        (13, "ossaudiodev pipes sndhdr spwd sunau telnetlib uu xdrlib"),
    )
    for module in modules.split()
}
_PYTHON_2_MODULES = frozenset(
    "ConfigParser HTMLParser Queue SocketServer StringIO Tkinter __builtin__ cPickle cStringIO "
    "commands copy_reg cookielib dircache exceptions httplib md5 popen2 sets urllib2 urlparse "
    "xmlrpclib".split()
)
PYTHON_2_BUILTINS = frozenset(
    "basestring execfile file long raw_input reduce reload unichr unicode xrange".split()
)
_REMOVED_NAMES: Mapping[str, int] = {
    f"{module}.{name}": minor
    for minor, module, names in (
        (0, "os", "getcwdu"),
        (0, "string", "join letters lower maketrans replace split strip"),
        (0, "sys", "maxint setdefaultencoding"),
        (0, "types", "StringType StringTypes UnicodeType"),
        (0, "urllib", "quote unquote urlencode urlopen urlretrieve"),
        (8, "platform", "dist linux_distribution"),
        (8, "time", "clock"),
        (9, "fractions", "gcd"),
        (10, "collections", "Callable Iterable Mapping MutableMapping Sequence Set"),
        (11, "asyncio", "coroutine"),
        (11, "inspect", "getargspec"),
        (12, "configparser", "SafeConfigParser"),
        (12, "locale", "format"),
        (12, "pkgutil", "ImpImporter"),
    )
    for name in names.split()
}
# The version of setuptools without a module or a name: Feature from its NEWS; of the others, the
# first of the wheels 58.0, 66.1, 70.0, 72.0, 80.0 and 82.0 that does not have them. distutils is
# setuptools' own in a build, since setuptools is imported first.
_REMOVED_BY_SETUPTOOLS: Mapping[str, Version] = {
    "distutils.command.bdist_msi": Version("66.1"),
    "distutils.command.bdist_wininst": Version("66.1"),
    "distutils.command.register": Version("80"),
    "distutils.command.upload": Version("80"),
    "distutils.msvccompiler": Version("80"),
    "pkg_resources": Version("82"),
    "setuptools.Feature": Version("46"),
    "setuptools.command.register": Version("80"),
    "setuptools.command.upload": Version("80"),
    "setuptools.command.upload_docs": Version("80"),
    "setuptools.dep_util": Version("70"),
    "setuptools.extern": Version("72"),
    "setuptools.package_index": Version("82"),
    "setuptools.sandbox": Version("80"),
}
_NEW_SETUPTOOLS = (Version("80"), 9)  # these and later ones need Python 3.9
_ALWAYS_IN_SETUPTOOLS = frozenset(
    "Command Distribution Extension find_namespace_packages find_packages setup".split()
)
# What a build environment has whose requirements are setuptools and wheel and nothing else.
BARE_MODULES = frozenset({"setuptools", "pkg_resources", "distutils", "wheel", "__future__"})
# of this Python, and what newer ones have
STANDARD_MODULES = frozenset({*sys.stdlib_module_names, "annotationlib", "compression"})
UNIVERSAL_NEWLINES = 11  # removed mode U of open()


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where a setup.py runs: CPython 3.``minor`` on Linux.

    ``setuptools`` is what no allowed version of it is newer than, None where there is no limit.
    ``plain``: it requires nothing but setuptools and wheel; ``bare``: nor does it install anything
    itself. ``backports``: something may be there that brings modules back which Python removed.
    ``paths`` are the files and
    folders of the archive; ``whole``: there are no others. ``own`` are the names of all of them
    without ``.py``, wherever they lie: a setup.py may extend ``sys.path``. ``name`` is that of the
    project, whose own environment variables are not set, as far as is known.
    """

    minor: int
    setuptools: Version | None = None
    plain: bool = True
    bare: bool = True
    backports: bool = False
    paths: frozenset[str] = frozenset()
    whole: bool = False
    own: frozenset[str] = frozenset()
    name: str = ""

    def is_own_variable(self, name: str) -> bool:
        """Return whether an environment variable is for this project alone."""
        return bool(self.name) and name.startswith(
            f"{canonicalize_name(self.name)}_".replace("-", "_").upper()
        )

    def exists(self, path: str) -> bool | None:
        """Return whether there is a file or folder below the archive's; None if that is open."""
        if path in self.paths or path in ("", "."):
            return True
        made = path.partition("/")[0] in ("build", "dist") or ".egg-info" in path
        return False if self.whole and not made else None

    def matching(self, pattern: str) -> list[str] | None:
        """Return the paths that a pattern of ``glob`` matches; None if that is open."""
        if not self.whole or "**" in pattern or pattern.startswith(("/", "..")):
            return None
        depth = pattern.count("/")
        paths = sorted(path for path in self.paths if path.count("/") == depth)
        return fnmatch.filter(paths, pattern)

    def lacks(self, module: str, name: str = "") -> str:
        """Return why the import of a module, or of a name from it, fails; "" if it may not.

        It goes on after what is imported: "imp, which Python 3.12 removed".
        """
        top = module.partition(".")[0]
        if top in self.own:
            return ""
        minor = _REMOVED_MODULES.get(top)
        if minor is not None and self.minor >= minor and not self.backports:
            return f"{top}, which Python 3.{minor} removed"
        if top in _PYTHON_2_MODULES:
            return f"{top}, which Python 3 does not have"
        parts = f"{module}.{name}".split(".")
        for path in (".".join(parts[:count]) for count in range(1, len(parts) + 1)):
            if reason := self.removed(path):
                return f"{path}, which {reason} removed"
        known = top in BARE_MODULES or top in STANDARD_MODULES or top in _REMOVED_MODULES
        if (self.bare and not known) or (self.plain and top == "pip"):
            return f"{top}, which its build environment does not have"
        return ""

    def removed(self, path: str) -> str:
        """Return what removed a dotted name, such as "Python 3.12"; "" if it may be there."""
        if path.partition(".")[0] in self.own:
            return ""
        minor = _REMOVED_NAMES.get(path)
        if minor is not None and self.minor >= minor:
            return f"Python 3.{minor}" if minor else "Python 3"
        version = _REMOVED_BY_SETUPTOOLS.get(path)
        if version is None or (self.setuptools is not None and self.setuptools < version):
            return ""
        newest, least = _NEW_SETUPTOOLS
        if version >= newest and self.minor < least:
            return ""
        return f"setuptools {version.major}"

    def has(self, module: str, names: Sequence[str] = ()) -> bool:
        """Return whether an import succeeds for certain."""
        if self.lacks(module) or module.partition(".")[0] in self.own:
            return False
        if module == "setuptools":
            return _ALWAYS_IN_SETUPTOOLS.issuperset(names)
        return module in STANDARD_MODULES and not names
