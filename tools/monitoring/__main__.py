"""python -m tools.monitoring            say which files are old; exit 1 if any is
python -m tools.monitoring --write    write deploy/monitoring anew
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tools.monitoring.dashboards import DASHBOARDS
from tools.monitoring.grafana import dashboard_json
from tools.monitoring.rules import rules_file, rules_object

FOLDER: Final = Path(__file__).resolve().parent.parent.parent / "deploy" / "monitoring"


def files() -> Mapping[Path, str]:
    """Every file that is made, and what should be in it."""
    dashboards = {
        FOLDER / "dashboards" / f"{each.uid}.json": dashboard_json(each) for each in DASHBOARDS
    }
    return {
        FOLDER / "rules.yaml": rules_file(),
        FOLDER / "prometheus-rule.yaml": rules_object(),
        **dashboards,
    }


def old() -> list[Path]:
    return [
        path
        for path, text in files().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main(arguments: Sequence[str]) -> int:
    if arguments == ["--write"]:
        for path, text in files().items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return 0
    for path in old():
        print(
            f"{path.relative_to(FOLDER.parent.parent)} is old: python -m tools.monitoring --write"
        )
    return 1 if old() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
