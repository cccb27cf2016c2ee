"""README and docs say what is true."""

from pathlib import Path

import pytest

from tests.readme import PAGES, TABLE, written


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_generated_tables_are_current(page: Path) -> None:
    """A table is the one that the code prints now; `make readme` writes it."""
    assert TABLE.search(page.read_text()) is not None
    assert page.read_text() == written(page, PAGES[page]())
