"""Real programs that tests start: found, or told how to be installed."""

import os
import shutil

import pytest

PACKAGES = {
    "amtool": "prometheus-alertmanager",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "prometheus-pushgateway": "prometheus-pushgateway",
}


def program(name: str) -> str:
    """Its path. Without it the test is skipped, or fails where everything has to be there."""
    path = shutil.which(name)
    advice = f"apt-get install -y --no-install-recommends {PACKAGES.get(name, name)}"
    if path is None and not os.environ.get("CI"):
        pytest.skip(f"{name} is missing: {advice}")
    assert path, advice
    return path
