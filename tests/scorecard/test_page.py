"""Does the page say every figure with its interval, goal and answer?"""

from soak.scorecard.card import Goal, share
from soak.scorecard.page import page


def test_a_row_of_the_page_has_figure_interval_count_goal_and_answer():
    row = share("leaks", "false alarms", "1 h", [False] * 2000, Goal(at_most=0.003))

    written = page([row], 7, is_quick=True)

    assert "`soak scorecard --out docs/scorecard.md --seed 7 --quick`" in written
    assert "\n## Leaks\n" in written
    assert "| false alarms | 1 h | 0 % [0 %, 0.192 %] | 2,000 | ≤ 0.3 % | ✓ met |" in written
