"""`python -m plt`: the command line."""

import sys

from plt.cli import main

if __name__ == "__main__":
    sys.exit(main())
