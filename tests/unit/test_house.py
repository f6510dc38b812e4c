"""Rules for the whole project: what modules export, the version's one place, docstrings."""

import ast
import importlib
import inspect
import os
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
# the packages whose C is written: each must import
PACKAGES = ["ipp", "plt", "natkit", "pldns"]
DISALLOW_INSTANTIATION = 1 << 7  # Py_TPFLAGS_DISALLOW_INSTANTIATION, of CPython's object.h


def public_objects(name: str) -> dict[str, object]:
    """The documentable public things of a package: itself, its names, their attributes."""
    package = importlib.import_module(name)
    found: dict[str, object] = {name: package}
    for public in package.__all__:
        value = getattr(package, public)
        # a constant is documented by its package
        if not (callable(value) or isinstance(value, ModuleType)):
            continue
        found[f"{name}.{public}"] = value
        if isinstance(value, type):
            for attribute, member in vars(value).items():
                if not attribute.startswith("_"):
                    found[f"{name}.{public}.{attribute}"] = member
    return found


def is_called(value: object) -> bool:
    """Whether scripts call it: not a property, an exception or a type without constructor."""
    if isinstance(value, type):
        made = not value.__flags__ & DISALLOW_INSTANTIATION
        return made and not issubclass(value, BaseException)
    return callable(value)


@pytest.mark.parametrize("name", PACKAGES)
def test_module_exports_only_its_init_function(name: str) -> None:
    built = importlib.import_module(f"{name}._{name}").__file__
    assert built is not None
    listing = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--format=posix", built],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert [line.split()[0] for line in listing.splitlines()] == [f"PyInit__{name}"]


def test_version_is_read_from_one_place() -> None:
    written = (ROOT / "plt" / "_version.py").read_text()
    stated = re.findall(r'^__version__ = "([^"]+)"$', written, re.MULTILINE)
    assert stated == [version("python-libtrace")]
    assert importlib.import_module("plt._version").__version__ == stated[0]
    newest = re.search(r"^## .*$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert stated[0] in newest[0]


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_has_a_docstring(name: str) -> None:
    bare = [label for label, value in public_objects(name).items() if not value.__doc__]
    assert bare == []


@pytest.mark.skipif(not (ROOT / "doc").exists(), reason="there are no sources")
def test_the_api_page_of_plt_has_all_its_names() -> None:
    """It gives them an order of its own; the pages of the other packages have all by themselves."""
    page = (ROOT / "doc" / "api" / "plt.md").read_text()
    documented = re.findall(r"^\.\. auto\w+:: plt\.(\w+)", page, re.MULTILINE)
    package = importlib.import_module("plt")
    shown = {getattr(package, name) for name in documented}  # which may have other names, too
    public = {name: getattr(package, name) for name in package.__all__ if name != "IPprefix"}
    assert [n for n, value in public.items() if callable(value) and value not in shown] == []


@pytest.mark.parametrize("name", PACKAGES)
def test_every_callable_has_a_signature(name: str) -> None:
    unsigned = []
    for label, value in public_objects(name).items():
        if is_called(value):
            try:
                inspect.signature(value)  # type: ignore[arg-type]
            except ValueError:
                unsigned.append(label)
    assert unsigned == []


@pytest.mark.parametrize("name", PACKAGES)
def test_package_under_test_is_the_one_meant(name: str) -> None:
    """That of an installed wheel with `make wheel`; else the one beside these tests."""
    origin = importlib.import_module(f"{name}._{name}").__file__
    assert origin is not None
    folder = Path(origin).resolve().parent
    if "PLT_INSTALLED" in os.environ:
        assert folder.parent.name == "site-packages"
        assert not folder.is_relative_to(ROOT / name)
    else:
        assert folder == ROOT / name


# --- Words and names in the documents -------------------------------------------------------------

#: Pictures that stood for plain words, and what to write in place of them.
RETIRED = {
    r"\b(that|which|may|to) lies?\b(?! (in|on|at|within|between)\b)": "malformed",
    r"\blies? (about|of)\b": "wrong",
    r"\blies (or|and) is\b|\blying\b": "malformed, wrong",
    r"\bnobody (knows|would|has|reads)\b": "unknown",
    r"\bof ours\b": "of this project",
    r"\bas of old\b": "as in version 1",
    r"\bby (its|their) own word\b|\bits own word\b": "by its length field",
    r"\b(is|are) not told\b": "unknown, not given",
}
TEXTS = ("*.c", "*.h", "*.py", "*.pyi", "*.md", "*.ipynb", "Makefile", "*.toml", "*.sh")


def our_texts() -> list[Path]:
    """The sources and documents that the repository has, but for this file."""
    listing = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "--", *TEXTS], capture_output=True, text=True, check=False
    )
    return [ROOT / name for name in listing.stdout.splitlines() if ROOT / name != Path(__file__)]


@pytest.mark.parametrize("words", RETIRED)
def test_retired_words_stay_away(words: str) -> None:
    found = our_texts()
    if not found:
        pytest.skip("this is no git repository")
    hits = []
    for path in found:
        name = str(path.relative_to(ROOT))
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(words, line, re.IGNORECASE):
                hits.append(f"{name}:{number}: {line.strip()}")
    assert hits == [], f"write: {RETIRED[words]}"


@pytest.mark.parametrize("folder", ["bench", "src"])
def test_a_readme_names_files_that_exist(folder: str) -> None:
    """The reading order of a folder: names in it are relative to the folder."""
    page = ROOT / folder / "README.md"
    if not page.is_file():
        pytest.skip(f"{folder}/ is not here")
    named = re.findall(r"`([\w./*-]+(?:\.(?:c|h|py|pyi|md)|/))`", page.read_text())
    assert len(named) > 10
    wanted = [f"{folder}/{name}" for name in named]
    there = {name for name in wanted if [*ROOT.glob(name)] or (ROOT / name).exists()}
    assert [name for name in wanted if name not in there] == []


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_use_the_public_names_of_each_other(name: str) -> None:
    """And plt.shared, which says that it is for them: nothing that begins with an underscore."""
    found = []
    for path in sorted((ROOT / name).rglob("*.py[i]")) + sorted((ROOT / name).rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                modules = [f"{node.module}.{alias.name}" for alias in node.names]
            for module in modules:
                package, *parts = module.split(".")
                if package in PACKAGES and package != name:
                    found += [module for part in parts if part.startswith("_")]
    assert found == []


def test_one_place_counts_processors() -> None:
    """plt/_threads.py knows affinity and quotas, which os.cpu_count() ignores."""
    using = [
        path.name
        for name in PACKAGES
        for path in (ROOT / name).rglob("*.py")
        if "cpu_count" in path.read_text() or "getaffinity" in path.read_text()
    ]
    assert using == ["_threads.py"]


def test_c_uses_no_private_name_of_cpython() -> None:
    """_Py... may change without notice; PyErr_Fetch() is deprecated, and stands in one place."""
    found = {
        f"{path.name}: {name}"
        for path in (ROOT / "src").rglob("*.[ch]")
        for name in re.findall(r"\b(?:_Py[A-Z]\w*|PyErr_(?:Fetch|Restore)\b)", path.read_text())
    }
    assert found == {"keptexception.h: PyErr_Fetch", "keptexception.h: PyErr_Restore"}
