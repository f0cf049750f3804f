"""Which alerts hold for every run? The tester's own state, and trends that no check waits for."""

from soak.alerts.rule import RUN, Alert, Group, Recording
from soak.judge.certificate import Limits

LIMITS = Limits()
KIND = f"{RUN}, kind"
TRUSTED_AGAIN = "The certificate in the report and on the page says why."


def general_groups() -> list[Group]:
    """The rules that need no scenario."""
    return [
        Group(name="soak-recordings", rules=recordings()),
        Group(name="soak-tester", rules=[*presence_alerts(), *tester_alerts()]),
        Group(name="soak-trends", rules=[*exhaustion_alerts(), *quality_alerts()]),
        Group(name="soak-maintenance", rules=maintenance_alerts()),
        Group(name="soak-schedules", rules=schedule_alerts()),
    ]


def recordings() -> list[Recording]:
    """What dashboards and other rules ask for again and again."""
    latency = "soak_operation_latency_seconds"
    by = f"{RUN}, operation"
    return [
        Recording(
            name="run_operation:soak_operations:rate5m",
            expr=f"sum by ({by}) (rate(soak_operations_total[5m]))",
        ),
        Recording(
            name="run_operation:soak_operations_failed:ratio_rate5m",
            expr=(
                f'sum by ({by}) (rate(soak_operations_total{{outcome=~"error|timeout|wrong"}}[5m]))'
                f"\n/ sum by ({by}) (rate(soak_operations_total[5m]))"
            ),
        ),
        Recording(
            name="run_operation:soak_operation_latency_seconds:p99_5m",
            expr=(
                f"histogram_quantile(0.99, sum by ({by}) (rate({latency}[5m])))\n"
                f"or histogram_quantile(0.99, sum by ({by}, le) (rate({latency}_bucket[5m])))"
            ),
        ),
    ]


def presence_alerts() -> list[Alert]:
    """Is the tester there, and does the target live?"""
    return [
        Alert(
            name="SoakTargetAbsent",
            expr=(
                "max_over_time(soak_run_expected_end_timestamp_seconds[30m]) > time()\n"
                "unless soak_run_expected_end_timestamp_seconds"
            ),
            severity="critical",
            hold="1m",
            summary="the tester of {{ $labels.scenario }} on {{ $labels.target }} has gone silent",
            description=(
                "A run that means to last longer has sent nothing for more than a minute: the "
                "tester died, was stopped, or cannot be reached."
            ),
        ),
        Alert(
            name="SoakWorkerDown",
            expr='soak_run_state{state="failed"} == 1',
            severity="critical",
            summary="{{ $labels.target }} or its worker ended during the run",
            description=(
                "The process that holds {{ $labels.target }} is gone, and the run of "
                "{{ $labels.scenario }} is over. Its last words are in the report."
            ),
        ),
        Alert(
            name="SoakRunFailed",
            expr="soak_outcome_exit_code > 0",
            severity="warning",
            summary="the last run of {{ $labels.scenario }} ended with {{ $value }}",
            description=(
                "A short run pushed its outcome: exit code {{ $value }} on {{ $labels.target }} "
                "(10 objective, 11 wrong answer, 12 leak, 13 unknown, 14 target)."
            ),
        ),
        Alert(
            name="SoakTargetHangs",
            expr="soak_hang_seconds > 10",
            severity="critical",
            hold="10s",
            summary="{{ $labels.operation }} on {{ $labels.target }} does not come back",
            description="The oldest {{ $labels.operation }} is {{ $value | humanize }} s old.",
        ),
    ]


def tester_alerts() -> list[Alert]:
    """Can the run be trusted, and is what it says complete?"""
    bound_s = LIMITS.hiccup_p50_s
    return [
        Alert(
            name="SoakRunNotTrusted",
            expr="soak_certificate_trusted == 0",
            severity="warning",
            hold="1m",
            summary="the run of {{ $labels.scenario }} cannot be trusted",
            description=f"Its verdict will be unknown. {TRUSTED_AGAIN}",
        ),
        Alert(
            name="SoakTesterLate",
            expr=f'soak_tester_hiccup_seconds{{rank="p50"}} > {bound_s:g}',
            severity="warning",
            hold="1m",
            summary="the tester of {{ $labels.scenario }} is kept from its processor",
            description=(
                "A thread that only sleeps wakes {{ $value | humanizeDuration }} late, more than "
                f"{bound_s * 1000:g} ms: latencies are the machine's, not the target's."
            ),
        ),
        Alert(
            name="SoakSamplerFails",
            expr="soak_sampler_success == 0",
            severity="warning",
            hold="1m",
            summary="sampler {{ $labels.sampler }} reads nothing",
            description="Figures of {{ $labels.sampler }} are missing; a gap is not a zero.",
        ),
        Alert(
            name="SoakResultsDropped",
            expr="increase(soak_results_dropped_total[5m]) > 0",
            severity="critical",
            summary="results of {{ $labels.scenario }} were lost",
            description=f"Counts and quantiles are no longer complete. {TRUSTED_AGAIN}",
        ),
        Alert(
            name="SoakExporterFull",
            expr="soak_exporter_series_dropped > 0",
            severity="warning",
            summary="{{ $value }} series of {{ $labels.scenario }} are folded or left out",
            description="More series than the cap allows; label value `other` has their sum.",
        ),
        Alert(
            name="SoakRemoteWriteDrops",
            expr="increase(soak_push_samples_dropped_total[10m]) > 0",
            severity="warning",
            summary="remote write of {{ $labels.scenario }} loses samples",
            description="The receiver refused them, or was away longer than the buffer lasts.",
        ),
    ]


def exhaustion_alerts() -> list[Alert]:
    """What will be used up within four hours, going on as in the last half hour?"""
    return [
        Alert(
            name="SoakMemoryRunsOut",
            expr=(
                "predict_linear(soak_target_anonymous_bytes[30m], 4 * 3600)\n"
                "  > on (job, instance, scenario, target) soak_host_limit_bytes"
            ),
            severity="warning",
            hold="10m",
            summary="{{ $labels.target }} will hit the memory limit within four hours",
            description=(
                "Going on as in the last half hour, anonymous memory reaches "
                "{{ $value | humanize1024 }}B in four hours, more than the machine allows."
            ),
        ),
        Alert(
            name="SoakDiskRunsOut",
            expr="predict_linear(soak_target_disk_free_bytes[30m], 4 * 3600) < 0",
            severity="warning",
            hold="10m",
            summary="the disk of {{ $labels.target }} will be full within four hours",
            description="Going on as in the last half hour, nothing is free in four hours.",
        ),
    ]


def quality_alerts() -> list[Alert]:
    """Does it get worse, whatever the objectives say?"""
    return [
        Alert(
            name="SoakHealthLow",
            expr="soak_health_ratio < 0.5",
            severity="warning",
            hold="5m",
            summary="{{ $labels.target }} is not well: health {{ $value | humanizePercentage }}",
            description="soak_health_component_ratio says which component is worst.",
        ),
        Alert(
            name="SoakRecallFalls",
            expr=(
                "avg_over_time(soak_recall_ratio[30m])\n"
                "  < avg_over_time(soak_recall_ratio[30m] offset 1h) - 0.03"
            ),
            severity="warning",
            hold="5m",
            summary="searches on {{ $labels.target }} find less than an hour ago",
            description=(
                "Recall at {{ $labels.k }} is {{ $value | humanizePercentage }}, at least three "
                "points below that of an hour ago."
            ),
        ),
    ]


def maintenance_alerts() -> list[Alert]:
    """Is what used to happen regularly still happening?"""
    count = f"sum by ({KIND}) (increase(soak_maintenance_events_total[2h] offset 30m))"
    recent = f"sum by ({KIND}) (increase(soak_maintenance_events_total[30m]))"
    latest = f"max by ({KIND}) (soak_maintenance_last_end_timestamp_seconds)"
    usual = f"sum by ({KIND}) (increase(soak_maintenance_events_total[2h]))"
    return [
        Alert(
            name="SoakMaintenanceStopped",
            expr=f"{count} >= 8\nand {recent} == 0",
            severity="critical",
            hold="5m",
            summary="{{ $labels.target }} has stopped its {{ $labels.kind }}",
            description=(
                "{{ $value | humanize }} times in the two hours before, and not once in the last "
                "half hour."
            ),
        ),
        Alert(
            name="SoakMaintenanceOverdue",
            expr=f"(time() - {latest})\n  > 3 * 7200 / ({usual} >= 3)",
            severity="warning",
            hold="1m",
            summary="{{ $labels.kind }} of {{ $labels.target }} is overdue",
            description=(
                "The last one ended {{ $value | humanizeDuration }} ago, three times as long as "
                "between two of them in the last two hours."
            ),
        ),
    ]


def schedule_alerts() -> list[Alert]:
    """How did the last run of a schedule of `soak daemon` end?"""
    regression = 'soak_schedule_comparison_status{status="fail"} == 1'
    return [
        Alert(
            name="SoakRegression",
            expr=regression,
            severity="warning",
            summary="{{ $labels.schedule }}: {{ $labels.target }} is worse than its baseline",
            description=(
                "The last run of schedule {{ $labels.schedule }} ({{ $labels.scenario }} on "
                "{{ $labels.target }}) is worse than its baseline. Until a later run is not."
            ),
        ),
        Alert(
            name="SoakScheduledRunFailed",
            expr=(
                "soak_schedule_last_exit_code > 0\n"
                f"unless on (job, instance, schedule) {regression}"
            ),
            severity="warning",
            summary="{{ $labels.schedule }}: the last run ended with {{ $value }}",
            description=(
                "Exit code {{ $value }} of {{ $labels.scenario }} on {{ $labels.target }} "
                "(2 usage, 10 objective, 11 wrong answer, 12 leak, 13 unknown, 14 target)."
            ),
        ),
    ]
