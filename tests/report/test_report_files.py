import pytest

from soak.report.files import write_reports
from soak.report.markup import Html, element, safe, table, together
from soak.report.record import RunError
from tests.runs import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "run", length_s=300.0)


def test_html_goes_into_the_run_directory_when_nothing_is_asked_for(run):
    assert [run / "report.html"] == write_reports(run)
    assert (run / "report.html").read_text().startswith("<!doctype html>")


def test_each_form_is_written_where_asked(run, tmp_path):
    asked = {
        "html": tmp_path / "new" / "r.html",
        "markdown": tmp_path / "r.md",
        "junit": tmp_path / "r.xml",
        "figures": tmp_path / "png",
    }

    written = write_reports(run, **asked)

    assert [asked["html"], asked["markdown"], asked["junit"]] == written[:3]
    assert {"latency-search.png", "memory.png", "throughput.png"} <= {p.name for p in written[3:]}
    assert f"[Full report]({asked['html']})" in asked["markdown"].read_text()


def test_a_name_that_no_disk_takes_is_named(run, tmp_path):
    with pytest.raises(RunError, match="the report cannot be written: File name too long"):
        write_reports(run, html=tmp_path / ("r" * 300))


def test_a_place_that_cannot_be_written_is_named(run, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(RunError, match=r"file/r\.html: the report cannot be written"):
        write_reports(run, html=tmp_path / "file" / "r.html")


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ('a < b & "c"', "<p>a &lt; b &amp; &quot;c&quot;</p>"),
        (Html("<b>x</b>"), "<p><b>x</b></p>"),
        (3, "<p>3</p>"),
    ],
)
def test_only_html_stays_html(inside, expected):
    assert expected == element("p", inside)


def test_attributes_are_escaped():
    assert '<a href="&quot;&gt;&lt;x">y</a>' == element("a", "y", href='"><x')


def test_empty_parts_and_tables_leave_nothing():
    assert "a-b" == together(("a", "", "b"), "-")
    assert "" == table(("x",), [])
    assert "&lt;" == safe("<")
