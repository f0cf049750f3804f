"""How is a run asked for? PromQL for what the variables of a dashboard choose.

Series carry scenario and target; which run they are of is said by soak_run_info alone, so every
expression is joined with it. A Prometheus that keeps native histograms has no buckets, and one
that keeps buckets has no native histograms: quantiles ask for both.
"""

CHOSEN = 'scenario=~"$scenario", target=~"$target"'
SAME_RUN = "on (job, instance, scenario, target)"
WINDOW = "$__rate_interval"


def selected(metric: str, where: str = "", chosen: str = CHOSEN) -> str:
    """The metric's series. where: more matchers, as `outcome="ok"`."""
    return f"{metric}{{{chosen}{', ' if where else ''}{where}}}"


def of_run(expression: str, run: str = "$run_id", chosen: str = CHOSEN) -> str:
    """What an expression says while that run lasts."""
    lasting = selected("soak_run_info", f'run_id=~"{run}"', chosen)
    return f"{expression} and {SAME_RUN} {lasting}"


def now(metric: str, where: str = "", run: str = "$run_id", chosen: str = CHOSEN) -> str:
    return of_run(selected(metric, where, chosen), run, chosen)


def per_s(
    metric: str,
    where: str = "",
    run: str = "$run_id",
    chosen: str = CHOSEN,
    window: str = WINDOW,
) -> str:
    """A counter's rate."""
    return of_run(f"rate({selected(metric, where, chosen)}[{window}])", run, chosen)


def quantile(
    share: float,
    metric: str,
    where: str = "",
    by: str = "operation",
    run: str = "$run_id",
    chosen: str = CHOSEN,
) -> str:
    """Of a histogram over the rate window, native or classic."""
    native = per_s(metric, where, run, chosen)
    classic = per_s(f"{metric}_bucket", where, run, chosen)
    return (
        f"histogram_quantile({share:g}, sum by ({by}) ({native}))"
        f" or histogram_quantile({share:g}, sum by (le, {by}) ({classic}))"
    )


def summed(expression: str, by: str = "") -> str:
    return f"sum by ({by}) ({expression})" if by else f"sum({expression})"


def during(kinds: str, window_s: int = 10) -> str:
    """1 from the start to the end of maintenance of those kinds, and at least for one step.

    An event is known when it is over, so the question looks ahead: into the next half minute for
    short ones, into the next five for long ones.
    """
    where = f'kind=~"{kinds}"'
    start = selected("soak_maintenance_last_start_timestamp_seconds", where)
    end = selected("soak_maintenance_last_end_timestamp_seconds", where)
    looks = [
        f"(({start} offset -{ahead}) <= time() + {window_s} "
        f"and ({end} offset -{ahead}) >= time() - {window_s})"
        for ahead in ("30s", "5m")
    ]
    return " or ".join(looks)


def maintenance_per_minute() -> str:
    """By kind and source, of those kinds that there were."""
    happened = f"sum by (kind, source) ({now('soak_maintenance_events_total')}) > 0"
    often = f"60 * sum by (kind, source) ({per_s('soak_maintenance_events_total')})"
    return f"{often} and on (kind, source) ({happened})"
