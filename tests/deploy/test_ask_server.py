"""Is a server asked about everything, and told to change nothing? By programs that only listen."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.manifests import FORMS, KUBERNETES

LISTENING = """\
#!/usr/bin/env bash
echo "{name} $*" >>{heard}
case "$*" in *$REFUSED*) exit 1 ;; esac
"""
Asked = tuple[int, str, list[str]]


@pytest.fixture
def ask(tmp_path: Path) -> Callable[[str], Asked]:
    """Its exit code, its stderr and the commands, where the server refuses what has that word."""
    heard = tmp_path / "heard"
    for name in ("kubectl", "helm"):
        (tmp_path / name).write_text(LISTENING.format(name=name, heard=heard))
        (tmp_path / name).chmod(0o755)

    def asked(refused: str) -> Asked:
        command = [str(KUBERNETES / "ask-server"), str(tmp_path), "somewhere"]
        environment = {**os.environ, "REFUSED": refused}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stderr, heard.read_text().splitlines()

    return asked


def test_every_form_is_asked_about_in_both_ways_and_nothing_is_changed(ask: Callable[[str], Asked]):
    code, _, heard = ask("nothing is refused")
    assert 0 == code
    for form in FORMS:
        assert any(f"-k deploy/kubernetes/overlays/{form}/" in each for each in heard)
        assert any(f"--set form={form} " in each for each in heard)
    assert any(each.endswith("-k deploy") for each in heard)
    changing = [each for each in heard if {"apply", "install"} & set(each.split())]
    assert 2 * len(FORMS) + 2 == len(changing)
    assert all("--dry-run=server" in each.split() for each in changing)
    assert all("somewhere" in each.split() for each in heard)


@pytest.mark.parametrize("refused", ["overlays/cronjob", "form=cronjob"])
def test_one_refusal_fails_it_all_and_the_rest_is_asked_about(
    refused: str, ask: Callable[[str], Asked]
):
    code, _, heard = ask(refused)
    assert 1 == code
    assert any("overlays/sidecar" in each for each in heard)


def test_without_a_namespace_it_says_how_to_make_it(ask: Callable[[str], Asked]):
    code, said, heard = ask("get namespace")
    assert 1 == code
    assert "kubectl apply -f deploy/kubernetes/namespace.yaml" in said
    assert not any("overlays" in each for each in heard)


def test_monitoring_is_left_out_where_there_is_no_operator(ask: Callable[[str], Asked]):
    code, _, heard = ask("get crd")
    assert 0 == code
    assert not any(each.endswith("-k deploy") for each in heard)
