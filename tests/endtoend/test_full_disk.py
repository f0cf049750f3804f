"""Does a full disk cost lines of the record, and never the run or its verdict?"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.endtoend.conftest import ROOT, SOAK, environment

# A mount namespace of its own: nobody else sees the small disk, and it is gone with the process.
MOUNTED = "mount -t tmpfs -o size={size} none {disk} && {soak} {rest}; code=$?; {after}; exit $code"


def soaked(disk: Path, size: str, after: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`soak ...` with its runs on a disk of that size; `after` is what a shell does there then."""
    inside = ["unshare", "-rm", "sh", "-c"]
    probe = [*inside, f"mount -t tmpfs none {disk}"]
    if not shutil.which("unshare") or subprocess.run(probe, check=False).returncode:
        pytest.skip("mount namespaces are not permitted here")
    rest = " ".join(["run", "configs/smoke.yaml", "--plain", "--listen 127.0.0.1:0", *arguments])
    script = MOUNTED.format(
        size=size, disk=disk, soak=SOAK, rest=f"{rest} --out {disk}/runs", after=after
    )
    return subprocess.run(
        [*inside, script],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_a_disk_without_room_for_the_schedule_is_refused_once_and_left_clean(tmp_path: Path):
    done = soaked(tmp_path, "4m", f"find {tmp_path}/runs -mindepth 1")
    assert 2 == done.returncode, done.stderr
    assert "ring.bin: cannot be written: No space left on device; make room" in done.stderr
    assert "Traceback" not in done.stderr
    assert "" == done.stdout


def test_a_disk_that_fills_during_the_run_ends_as_unknown_with_its_report(tmp_path: Path):
    small = ("--target memory", "--set population.preload=0", "--duration 8s", "--json")
    kept = tmp_path.with_name(f"{tmp_path.name}-kept.json")
    after = f"cp {tmp_path}/runs/*/report.json {kept}; ls {tmp_path}/runs/*/report.html >&2"
    done = soaked(tmp_path, "6m", after, *small)
    assert 13 == done.returncode, done.stderr
    assert "Traceback" not in done.stderr
    report = json.loads(kept.read_text())
    assert f"the run directory {tmp_path}/runs/" in report["verdict"]["reason"]
    assert report["certificate"]["lost_lines"] > 0
    assert report["verdict"] == json.loads(done.stdout)["verdict"]
    assert "event record_lost" in done.stderr
    assert done.stderr.rstrip().endswith("report.html")
