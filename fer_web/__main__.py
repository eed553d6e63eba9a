"""python -m fer_web --help"""

import os
import sys

from fer_web.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
