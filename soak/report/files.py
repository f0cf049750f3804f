"""Where do a run's reports go? Written from its directory, as often as asked for."""

from pathlib import Path

from soak.clock import Clock
from soak.report.advice import advice
from soak.report.html import html as html_report
from soak.report.junit import junit as junit_report
from soak.report.markdown import markdown as markdown_report
from soak.report.picture import draw
from soak.report.plots import png
from soak.report.record import RunError, load_run
from soak.rundir import RunDirectory


def write_reports(
    run_path: Path,
    *,
    html: Path | None = None,
    markdown: Path | None = None,
    junit: Path | None = None,
    figures: Path | None = None,
    clock: Clock | None = None,
) -> list[Path]:
    """Write what is asked for, or report.html into the run directory; returns what was written.

    figures: a directory for PNG files, made when it is missing. Raises RunError when run_path is no
    run or a file cannot be written.
    """
    record = load_run(run_path, clock)
    if html is markdown is junit is figures is None:
        html = RunDirectory(record.directory).report_html
    written = []
    if html is not None:
        written.append(write_file(html, html_report(record).encode()))
    if markdown is not None:
        link = str(html) if html is not None else ""
        written.append(
            write_file(markdown, markdown_report(record.document, link, advice(record)).encode())
        )
    if junit is not None:
        written.append(write_file(junit, junit_report(record.document).encode()))
    if figures is not None:
        for chart in draw(record).all():
            written.append(write_file(figures / f"{chart.name}.png", png(chart)))
    return written


def write_file(path: Path, content: bytes) -> Path:
    """The path, with that content or, where it cannot be written, as it was; raises RunError."""
    try:
        # It may be a pipe, or a link to one: only a file of one's own is replaced.
        if path.exists() and (path.is_symlink() or not path.is_file()):
            path.write_bytes(content)
        else:
            _replace_file(path, content)
    except OSError as error:
        raise RunError(f"{path}: the report cannot be written: {error.strerror}") from error
    return path


def _replace_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:
        if partial.is_file():
            partial.unlink()
        raise
