"""Build the extension modules; everything else is in pyproject.toml."""

import copy
import os
import shlex
import subprocess
import tempfile
from glob import glob
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


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


class BuildExt(build_ext):
    """Builds each extension in a folder of its own: some share sources, and may run at once."""

    def build_extensions(self) -> None:
        """Build all extensions, optimised even where CFLAGS takes the place of other flags."""
        at_link = self.link_time_optimisation()
        for ext in self.extensions:
            ext.extra_compile_args += self.optimisation() + at_link
            ext.extra_link_args += at_link
        super().build_extensions()

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


def extension(
    package: str, shared: list[str], *libraries: tuple[list[str], list[str]]
) -> Extension:
    """The extension module of one package: the C in its folder of src/ and in those it shares."""
    compile_args = [word for library in libraries for word in library[0]]
    link_args = [word for library in libraries for word in library[1]]
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
        extension("ipp", []),
        extension(
            "plt",
            ["where", "packet", "common"],
            pkg_config("libtrace", "-ltrace"),
            pkg_config("libpcap", "-lpcap"),
        ),
        extension("natkit", ["flowtable", "packet", "common"], pkg_config("libcrypto", "-lcrypto")),
        extension("pldns", ["packet", "common"], pkg_config("ldns", "-lldns")),
    ],
    cmdclass={"build_ext": BuildExt},
)
