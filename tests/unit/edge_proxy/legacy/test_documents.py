import tomllib

from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.legacy.documents import toml

_PLAIN = st.one_of(
    st.integers(-(2**62), 2**62), st.booleans(), st.text(st.characters(exclude_categories=["Cs"]))
)
_KEYS = st.sampled_from(["a", "b", "c", "d"])
_VALUES = st.one_of(_PLAIN, st.lists(_PLAIN, max_size=3))
_TABLES = st.dictionaries(_KEYS, _VALUES, max_size=4)


@given(_TABLES, st.dictionaries(_KEYS, _TABLES), st.lists(_TABLES, min_size=1, max_size=3))
def test_what_is_written_is_what_is_read(
    top: dict[str, object], below: dict[str, object], rules: list[dict[str, object]]
) -> None:
    table = {**{f"plain_{key}": value for key, value in top.items()}, "below": below}
    table |= {"rules": rules}
    read = tomllib.loads(toml(table))
    if not below:
        read.setdefault("below", {})
    else:
        read["below"] = {key: read.get("below", {}).get(key, {}) for key in below}
    assert read == table
