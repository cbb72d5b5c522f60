from edge_proxy.relay.phases import TRANSITIONS, Phase
from tools.draw_phases import PAGE, main, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python tools/draw_phases.py --write"
    assert main(["--check"]) == 0


def test_every_phase_is_in_the_table_with_what_it_means() -> None:
    rows = [line.split(" | ") for line in page().splitlines() if line.startswith("| ")]
    cells = {row[0].removeprefix("| "): row[1:] for row in rows}
    for phase in Phase:
        assert all(cell.strip(" |") for cell in cells[phase.value]), phase


def test_every_way_is_in_the_diagram() -> None:
    drawn = page()
    for (at, cause), to in TRANSITIONS.items():
        assert f"{at.name} --> {to.name}: {cause.value}\n" in drawn
