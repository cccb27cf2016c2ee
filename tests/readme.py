"""Writes the generated part of the README: `make readme`."""

import re
from pathlib import Path

from consumer.settings.table import reference_markdown

README = Path(__file__).parents[1] / "README.md"
TABLE = re.compile(r"(<!-- settings: begin -->\n)(.*)(<!-- settings: end -->)", re.DOTALL)


def written() -> str:
    """The README with the table of settings as it is now."""
    return TABLE.sub(
        lambda found: found[1] + reference_markdown().strip() + "\n" + found[3], README.read_text()
    )


if __name__ == "__main__":
    README.write_text(written())
