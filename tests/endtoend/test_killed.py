"""Does a run survive kills at random moments? A short form of `make crash-resume`."""

import pytest

from tests.endtoend import killed


@pytest.mark.slow
def test_a_run_that_is_killed_ten_times_answers_every_operation_once(
    capfd: pytest.CaptureFixture[str],
):
    code = killed.main(["--kills", "10", "--seed", "2"])

    said = capfd.readouterr().out
    assert 0 == code, said
    assert "seed 2: 10 kills; " in said
