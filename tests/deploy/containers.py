"""Containers without a registry and without systemd: an image store of our own, below build/.

The image's base is Debian's own Python, made by debootstrap: the layout of the official Python
image differs, so this proves the steps and not that image.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.programs import program

ROOT = Path(__file__).parents[2]
STORE = ROOT / "build" / "image"
BASE = "localhost/python:3.11-slim-bookworm"
IMAGE = "localhost/soak:checked"
INCLUDE = "python3,python3-venv,python3-pip,ca-certificates"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
# A read-only root without any right; health checks are systemd's, so they are asked by hand.
CONFINED = (
    *("--rm", "--pull=never", "--no-healthcheck", "--network=host", "--read-only"),
    *("--cap-drop=all", "--security-opt=no-new-privileges"),
)
STORAGE = '[storage]\ndriver = "overlay"\ngraphroot = "{0}/graph"\nrunroot = "{0}/run"\n'
# Rights to raise limits are missing in a container that runs containers, so both are named.
CONTAINERS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "BUILDAH_ISOLATION": "chroot",
        "CONTAINERS_STORAGE_CONF": str(STORE / "storage.conf"),
        "CONTAINERS_CONF": str(STORE / "containers.conf"),
    }


def call(*command: str, timeout_s: float = 600) -> str:
    """Its stdout; an error shows what it said."""
    done = subprocess.run(
        [program(command[0]), *command[1:]],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert 0 == done.returncode, f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def build() -> None:
    """The base once, then the image of the Dockerfile as it stands; layers are kept."""
    STORE.mkdir(parents=True, exist_ok=True)
    (STORE / "storage.conf").write_text(STORAGE.format(STORE))
    (STORE / "containers.conf").write_text(CONTAINERS)
    if BASE not in call("buildah", "images", "--format", "{{.Name}}:{{.Tag}}"):
        build_base()
    trusted = ("--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro")
    call(
        *("buildah", "bud", "--layers", "--pull-never", "--format=docker", "--network=host"),
        *(*trusted, f"--build-arg=PYTHON_IMAGE={BASE}", "--build-arg=REVISION=checked"),
        *("--tag", IMAGE, "."),
        timeout_s=1_200,
    )


def build_base() -> None:
    root, archive = STORE / "base", STORE / "base.tar"
    subprocess.run(["rm", "-rf", root], check=True)
    options = ("--variant=minbase", f"--include={INCLUDE}")
    call("debootstrap", *options, "bookworm", str(root), *mirror(), timeout_s=1_200)
    unneeded = ("--exclude=./var/cache/apt", "--exclude=./var/lib/apt/lists")
    call("tar", "-C", str(root), "-cf", str(archive), *unneeded, ".")
    recipe = STORE / "Dockerfile.base"
    recipe.write_text("FROM scratch\nADD base.tar /\n")
    call("buildah", "bud", "--tag", BASE, "--file", str(recipe), str(STORE))
    subprocess.run(["rm", "-rf", root, archive], check=True)


def mirror() -> Sequence[str]:
    """Where this machine gets its packages from; debootstrap's own choice where it does not say."""
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    texts = [path.read_text() for path in sources if path.is_file()]
    found = re.findall(r"^(?:URIs:|deb) (https?://\S+/debian)/?(?:\s|$)", "\n".join(texts), re.M)
    return found[:1]


def inspect(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call("podman", "inspect", name))[0]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A container that runs. Its runs are in `runs`; it says what it says into `log`."""

    name: str
    process: subprocess.Popen[bytes]
    runs: Path
    log: Path

    def execute(self, *command: str) -> int:
        asked = [program("podman"), "exec", self.name, *command]
        return subprocess.run(asked, env=environment(), check=False).returncode

    def only_run(self) -> Path:
        (found,) = [path for path in self.runs.iterdir() if (path / "scenario.yaml").exists()]
        return found


@contextmanager
def container(name: str, folder: Path, options: Sequence[str], *words: str) -> Iterator[Running]:
    """`soak WORDS` in a confined container with a folder for its runs; gone when the block ends."""
    runs = folder / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    os.chown(runs, 10001, 10001)
    log = folder / f"{name}.log"
    command = [
        *(program("podman"), "run", *CONFINED, f"--name={name}", f"--volume={runs}:/runs"),
        *(*options, IMAGE, *words),
    ]
    with log.open("wb") as file:
        # Where memory runs out, the monitor leaves a file named oom where it was started.
        process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=file, stderr=file)
    try:
        yield Running(name=name, process=process, runs=runs, log=log)
    finally:
        if process.poll() is None:
            call("podman", "kill", name)
        process.wait(60)
