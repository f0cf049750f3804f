"""Is the tester's own work timed, told once, and bounded while nobody listens?"""

from soak.load.yardstick import MOST_KEPT, Yardstick


def test_the_time_is_told_once():
    yardstick = Yardstick()
    for _ in range(5):
        yardstick.measure()
    told = yardstick.take()

    assert ["control_s"] == list(told)
    assert 0 < told["control_s"] < 10
    assert {} == yardstick.take()


def test_what_nobody_asks_for_does_not_pile_up():
    yardstick = Yardstick()
    for _ in range(MOST_KEPT + 10):
        yardstick.measure()

    assert MOST_KEPT == len(yardstick._took_ns)
