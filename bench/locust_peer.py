"""What does Locust cost and report? Run by the interpreter of an environment that has Locust.

    python locust_peer.py max SECONDS | held SECONDS RATE | stall SECONDS RATE     prints JSON

Users do nothing and report it, the way a user of an in-process library would write it.
"""

import json
import sys
import time

import gevent
from locust import User, constant_pacing, constant_throughput, task
from locust.env import Environment

# Ten operations a second each, up to a hundred users: what its users' guide would have you do.
MOST_USERS, RATE_PER_USER = 100, 10
SETTLE_S = 3.0


class Idle(User):
    abstract = True
    stall_at = -1
    issued = 0

    @task
    def operate(self):
        before_s = time.perf_counter()
        Idle.issued += 1
        if Idle.issued == Idle.stall_at:
            time.sleep(1.0)
        self.environment.events.request.fire(
            request_type="get",
            name="get",
            response_time=(time.perf_counter() - before_s) * 1000,
            response_length=0,
            exception=None,
            context={},
        )


class Fastest(Idle):
    wait_time = constant_pacing(0)


class Paced(Idle):
    pass


def measure(user, users, seconds):
    """Operations, seconds and CPU seconds after the users have been spawned."""
    environment = Environment(user_classes=[user])
    runner = environment.create_local_runner()
    runner.start(users, spawn_rate=users * 10)
    gevent.sleep(SETTLE_S)
    runner.stats.reset_all()
    begin_s, cpu_s, first = time.perf_counter(), time.process_time(), Idle.issued
    gevent.sleep(seconds)
    count, taken_s = Idle.issued - first, time.perf_counter() - begin_s
    cpu_s = time.process_time() - cpu_s
    total = environment.stats.total
    found = {
        "rate_per_s": count / taken_s,
        "cpu_ns": cpu_s / count * 1e9,
        "p99_s": total.get_response_time_percentile(0.99) / 1000,
        "p999_s": total.get_response_time_percentile(0.999) / 1000,
    }
    runner.quit()
    return found


def main(mode, seconds, rate_per_s=0.0):
    if mode == "max":
        return measure(Fastest, 1, seconds)
    users = int(min(MOST_USERS, max(1, rate_per_s / RATE_PER_USER)))
    Paced.wait_time = constant_throughput(rate_per_s / users)
    if mode == "stall":
        Idle.stall_at = int(rate_per_s * (SETTLE_S + seconds / 2))
    return measure(Paced, users, seconds)


if __name__ == "__main__":
    json.dump(main(sys.argv[1], *map(float, sys.argv[2:])), sys.stdout)
