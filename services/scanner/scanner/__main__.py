"""``scanner run -c scanner.toml``."""

import sys

from scanner.app import run
from scanner.config import ScannerSettings
from service_kit.command_line import service_main


def main() -> int:
    return service_main("scanner", ScannerSettings, "SCANNER", run)


if __name__ == "__main__":
    sys.exit(main())
