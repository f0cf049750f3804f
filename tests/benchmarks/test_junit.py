"""Does a CI server see each benchmark, and none that could not be told as passed?"""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from soak.bench.files import write_suite
from soak.bench.junit import junit
from soak.bench.outcome import left_out
from soak.bench.suite import chosen
from tests.benchmarks.documents import told


def test_a_suite_per_category_and_a_case_per_benchmark():
    left = left_out(chosen(["storage/scan"])[0], "the target lacks scan")
    documents = [told("storage/read"), told("latency/mixed", status="fail"), left]
    storage, latency = ElementTree.fromstring(junit(documents))

    assert ("soak bench storage", "2", "0", "0", "1") == tuple(
        storage.get(name) for name in ("name", "tests", "failures", "errors", "skipped")
    )
    read, scan = storage.findall("testcase")
    assert ("soak.bench.storage.engine", "read", "9.500") == (
        read.get("classname"),
        read.get("name"),
        read.get("time"),
    )
    assert "the target lacks scan" == scan.find("skipped").get("message")
    failure = latency.find("testcase/failure")
    assert "because" == failure.get("message")
    assert "store-p99\nstatus: fail\neffect: 0.025\nthreshold: 0.05" in failure.text


@pytest.mark.parametrize(("exit_code", "element"), [(13, "error"), (None, "skipped")])
def test_what_is_unknown_is_an_error_and_what_another_program_measured_is_not_judged(
    exit_code: int | None, element: str
):
    verdict = {"status": "unknown", "exit_code": exit_code, "reason": "why"}
    (suite,) = ElementTree.fromstring(junit([{**told("storage/read"), "verdict": verdict}]))

    assert "why" == suite.find(f"testcase/{element}").get("message")


def test_it_is_written_where_it_is_asked_for(tmp_path: Path):
    assert [tmp_path / "b.xml"] == write_suite([told("storage/read")], junit=tmp_path / "b.xml")
    assert b"soak bench storage" in (tmp_path / "b.xml").read_bytes()
