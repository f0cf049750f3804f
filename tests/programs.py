"""Real programs that tests start: found, or told how to be installed."""

import os
import shutil
from pathlib import Path

import pytest

PACKAGES = {
    "chromium": "chromium fonts-dejavu-core",
    "amtool": "prometheus-alertmanager",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "prometheus-pushgateway": "prometheus-pushgateway",
}


def program(name: str) -> str:
    """Its path."""
    advice = f"apt-get install -y --no-install-recommends {PACKAGES.get(name, name)}"
    return required(shutil.which(name), f"{name} is missing: {advice}")


def required(path: str | Path | None, advice: str) -> str:
    """The path. Without it the test is skipped, or fails where everything has to be there."""
    if path is None and not os.environ.get("CI"):
        pytest.skip(advice)
    assert path, advice
    return str(path)
