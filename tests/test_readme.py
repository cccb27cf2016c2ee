"""The README says what is true."""

from tests.readme import README, TABLE, written


def test_settings_table_is_current() -> None:
    """The table of settings is the one that the reference prints now; `make readme` writes it."""
    assert TABLE.search(README.read_text()) is not None
    assert README.read_text() == written()
