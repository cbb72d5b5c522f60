"""``policy run -c FILE``, ``policy check-config -c FILE``."""

import sys

from policy.app import run
from policy.config import PolicySettings
from service_kit.command_line import service_main


def main() -> int:
    return service_main("policy", PolicySettings, "POLICY", run)


if __name__ == "__main__":
    sys.exit(main())
