"""Build the extension modules; everything else is in pyproject.toml."""

import copy
import os
import shlex
import subprocess
from glob import glob

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

    def build_extension(self, ext: Extension) -> None:
        """Build one extension."""
        builder = copy.copy(self)
        builder.build_temp = os.path.join(self.build_temp, ext.name)
        super(BuildExt, builder).build_extension(ext)


def extension(
    package: str, *libraries: tuple[list[str], list[str]], columns: bool = True
) -> Extension:
    """The extension module of one package: all the C in its folder of src/, and what is shared."""
    compile_args = [word for library in libraries for word in library[0]]
    link_args = [word for library in libraries for word in library[1]]
    sources = sorted(glob(f"src/{package}/*.c"))
    if sources and columns:
        sources += sorted(glob("src/packet/*.c")) + sorted(glob("src/common/*.c"))
    return Extension(
        f"{package}._{package}",
        sources=sources,
        depends=glob("src/packet/*.h") + glob("src/common/*.h") + glob(f"src/{package}/*.h"),
        include_dirs=["src/packet", "src/common"],
        extra_compile_args=["-std=c11", "-fvisibility=hidden", *compile_args],
        extra_link_args=link_args,
    )


EXTENSIONS = [
    extension("ipp", columns=False),
    extension("plt", pkg_config("libtrace", "-ltrace"), pkg_config("libpcap", "-lpcap")),
    extension("natkit", pkg_config("libcrypto", "-lcrypto")),
    extension("pldns", pkg_config("ldns", "-lldns")),
]

# a package whose C is not written yet is built when it is
setup(
    ext_modules=[extension for extension in EXTENSIONS if extension.sources],
    cmdclass={"build_ext": BuildExt},
)
