"""What the whole test suite shares: the corpus of traces and the tools that judge it.

PLT_CORPUS names a folder with traces/, golden/ and tools/.  It is not part of the
project: without it the tests that need it are skipped, but never in CI (CI=true),
where a skipped conformance test would look like a passed one.
"""

import csv
import importlib.util
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).resolve().parent

# Helpers that are no tests (packets, tshark_fields) are imported by their bare names.
sys.path[:0] = [str(TESTS), str(TESTS / "compat"), str(TESTS / "tutorial")]

from present import missing, tool  # noqa: E402

# No test depends on how fast the machine is: an example may take what it takes.
settings.register_profile("any-pace", deadline=None)
settings.load_profile("any-pace")

# Programs that the tests start, and interrupt, inherit a SIGINT that is ignored or blocked, as it
# is in the background of a script.  One that Python handles is the default for them.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def corpus_folder() -> Path | None:
    """The folder that PLT_CORPUS names, None where it is unset."""
    name = os.environ.get("PLT_CORPUS")
    return Path(name).resolve() if name else None


def manifest(folder: Path) -> dict[str, int]:
    """How many packets each trace of the corpus has."""
    with (folder / "traces" / "MANIFEST.tsv").open(newline="") as f:
        return {row["file"]: int(row["packets"]) for row in csv.DictReader(f, delimiter="\t")}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with an argument `trace_name` runs once for every trace of the corpus."""
    if "trace_name" in metafunc.fixturenames:
        folder = corpus_folder()
        known = folder is not None and (folder / "traces" / "MANIFEST.tsv").is_file()
        metafunc.parametrize("trace_name", sorted(manifest(folder)) if known else ["no-corpus"])


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The corpus' folder."""
    folder = corpus_folder()
    if folder is None:
        missing("PLT_CORPUS is not set: it names the folder with traces/, golden/ and tools/")
    elif not (folder / "traces" / "MANIFEST.tsv").is_file():
        pytest.fail(f"PLT_CORPUS={folder} has no traces/MANIFEST.tsv")
    return folder


@pytest.fixture(scope="session")
def packet_counts(corpus: Path) -> dict[str, int]:
    """How many packets each trace of the corpus has."""
    return manifest(corpus)


@pytest.fixture(scope="session")
def trace_uri(corpus: Path) -> Callable[[Path], str]:
    """The corpus' own rule for the URI of a trace: a format only where it can't be guessed."""
    program = corpus / "tools" / "compare_golden.py"
    spec = importlib.util.spec_from_file_location("compare_golden", program)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.uri


@pytest.fixture(scope="session")
def tshark() -> str:
    """The path of tshark."""
    return tool("tshark")


@pytest.fixture(scope="session")
def tcptrace() -> str:
    """The path of tcptrace."""
    return tool("tcptrace")
