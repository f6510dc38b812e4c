"""Build the extension modules; everything else is in pyproject.toml."""

import copy
import os
import shlex
import subprocess
import tempfile
from glob import glob
from pathlib import Path
from typing import NamedTuple

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError


def pkg_config(name: str, fallback: str) -> tuple[list[str], list[str]]:
    """Compiler and linker arguments of a library: pkg-config's, else just its name."""
    try:
        run = subprocess.run(
            ["pkg-config", "--cflags", "--libs", name], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return [], [fallback]
    words = shlex.split(run.stdout)
    # third-party headers come in by -isystem: their warnings are not ours to mend
    compile_args = [word.replace("-I", "-isystem", 1) for word in words if word.startswith("-I")]
    return compile_args, [word for word in words if not word.startswith("-I")]


class Library(NamedTuple):
    """What the C is compiled against: a header of it, Debian's package of that, arguments."""

    name: str
    header: str
    package: str
    compile_args: list[str]
    link_args: list[str]


PYTHON = Library("Python", "Python.h", "python3-dev", [], [])
LIBTRACE = Library("libtrace", "libtrace.h", "libtrace3-dev", *pkg_config("libtrace", "-ltrace"))
LIBPCAP = Library("libpcap", "pcap/pcap.h", "libpcap-dev", *pkg_config("libpcap", "-lpcap"))
LDNS = Library("ldns", "ldns/ldns.h", "libldns-dev", *pkg_config("ldns", "-lldns"))
OPENSSL = Library("OpenSSL", "openssl/evp.h", "libssl-dev", *pkg_config("libcrypto", "-lcrypto"))


class BuildExt(build_ext):
    """Builds each extension in a folder of its own: some share sources, and may run at once."""

    def build_extensions(self) -> None:
        """Build all extensions, optimised even where CFLAGS takes the place of other flags."""
        self.check_headers()
        at_link = self.link_time_optimisation()
        for ext in self.extensions:
            ext.extra_compile_args += self.optimisation() + at_link
            ext.extra_link_args += at_link
        super().build_extensions()

    def check_headers(self) -> None:
        """Say in one line whose headers are missing, before the compiler does in a hundred."""
        missing = [
            library
            for library in (PYTHON, LIBTRACE, LIBPCAP, LDNS, OPENSSL)
            if not self.has_header(library)
        ]
        if missing:
            whose = ", ".join(f"{library.name}'s ({library.header})" for library in missing)
            packages = " ".join(library.package for library in missing)
            raise CompileError(
                f"headers are missing: {whose}; on Debian or Ubuntu: apt install {packages}"
            )

    def has_header(self, library: Library) -> bool:
        """Whether the preprocessor finds the library's header, and what that includes."""
        command = [*self.compiler.compiler_so, *library.compile_args]
        command += [f"-I{folder}" for folder in self.compiler.include_dirs]
        source = f"#include <{library.header}>\n".encode()
        try:
            run = subprocess.run(
                [*command, "-E", "-x", "c", "-"], input=source, capture_output=True, check=False
            )
        except OSError as error:
            raise CompileError(f"there is no C compiler: {error}") from error
        return run.returncode == 0

    def optimisation(self) -> list[str]:
        """What the compiler's flags, CFLAGS among them, leave open; a level of theirs is kept."""
        given = self.compiler.compiler_so
        flags = [] if any(word.startswith("-O") for word in given) else ["-O2"]
        if not {"-DNDEBUG", "-UNDEBUG"} & set(given):
            flags.append("-DNDEBUG")
        return flags

    def link_time_optimisation(self) -> list[str]:
        """The flag of that where compiler and linker both know it, else nothing."""
        compile_so, link_so = self.compiler.compiler_so, self.compiler.linker_so
        # Code would be instrumented at the link only, which CFLAGS does not reach.
        unfit = ("-fsanitize", "--coverage", "-fprofile", "-fno-lto")
        if any(word.startswith(unfit) for word in compile_so):
            return []
        flags = ["-flto=auto"]
        with tempfile.TemporaryDirectory() as folder:
            source, unit, module = (str(Path(folder, name)) for name in ("a.c", "a.o", "a.so"))
            Path(source).write_text("int answer(void) { return 42; }\n")
            for command in (
                [*compile_so, *flags, "-c", source, "-o", unit],
                [*link_so, *flags, unit, "-o", module],
            ):
                if subprocess.run(command, capture_output=True, check=False).returncode:
                    return []
        return flags

    def build_extension(self, ext: Extension) -> None:
        """Build one extension."""
        builder = copy.copy(self)
        builder.build_temp = os.path.join(self.build_temp, ext.name)
        super(BuildExt, builder).build_extension(ext)


def extension(package: str, shared: list[str], *libraries: Library) -> Extension:
    """The extension module of one package: the C in its folder of src/ and in those it shares."""
    compile_args = [word for library in libraries for word in library.compile_args]
    link_args = [word for library in libraries for word in library.link_args]
    return Extension(
        f"{package}._{package}",
        sources=[
            path
            for folder in [package, *shared]
            for path in sorted(glob(f"src/{folder}/**/*.c", recursive=True))
        ],
        depends=glob("src/**/*.h", recursive=True),
        include_dirs=["src"],
        extra_compile_args=["-std=c11", "-fvisibility=hidden", *compile_args],
        extra_link_args=link_args,
    )


setup(
    ext_modules=[
        extension("ipp", ["buffers"]),
        extension("plt", ["where", "packet", "common"], LIBTRACE, LIBPCAP),
        extension("natkit", ["flowtable", "streams", "packet", "common", "buffers"], OPENSSL),
        extension("pldns", ["packet", "common"], LDNS),
    ],
    cmdclass={"build_ext": BuildExt},
)
