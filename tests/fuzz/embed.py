"""Print what a program that embeds this Python is linked with."""

import sysconfig


def main() -> None:
    """The folder of libpython, also for when the program runs, and its name."""
    folder = sysconfig.get_config_var("LIBDIR")
    name = sysconfig.get_config_var("LDVERSION")
    print(f"-L{folder} -Wl,-rpath,{folder} -lpython{name}")


if __name__ == "__main__":
    main()
