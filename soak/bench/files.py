"""Where do the reports of a suite go? HTML, Markdown, JUnit, and a PNG per figure."""

from collections.abc import Sequence
from pathlib import Path

from soak.bench import page, table
from soak.bench.junit import junit as junit_report
from soak.bench.sections import every_picture
from soak.report import plots, ranges
from soak.report.document import Section
from soak.report.files import write_file


def write_suite(
    documents: Sequence[Section],
    *,
    html: Path | None = None,
    markdown: Path | None = None,
    junit: Path | None = None,
    figures: Path | None = None,
) -> list[Path]:
    """Write what is asked for; returns what was written. Raises RunError where it cannot be.

    figures: a directory for PNG files, made when it is missing.
    """
    written = []
    if html is not None:
        written.append(write_file(html, page.html(documents).encode()))
    if markdown is not None:
        written.append(write_file(markdown, table.markdown(documents).encode()))
    if junit is not None:
        written.append(write_file(junit, junit_report(documents).encode()))
    if figures is not None:
        for picture in every_picture(documents):
            if isinstance(picture, ranges.Ranges):
                drawn = ranges.png(picture)
            else:
                drawn = plots.png(picture)
            written.append(write_file(figures / f"{picture.name}.png", drawn))
    return written
