"""The dashboard of single workers: which one, and where in it."""

from __future__ import annotations

from typing import Final

from deploy.grafana.panels import (
    GREEN,
    RED,
    UP_OR_DOWN,
    Dashboard,
    Panel,
    Query,
    Row,
    Step,
    Variable,
    falling,
    rising,
)

W: Final = 'job=~"$job", instance=~"$instance"'

WELL: Final = Row(
    "Is it well?",
    (
        Panel(
            "Checks pass",
            "Of /health/ready and /health/live.",
            "none",
            (
                Query(
                    f"min by (instance, check) (assayer_health_up{{{W}}})",
                    "{{instance}} {{check}}",
                ),
            ),
            "state-timeline",
            width=16,
            mappings=UP_OR_DOWN,
            steps=(Step(RED), Step(GREEN, 1)),
            most=1,
        ),
        Panel(
            "Runs for",
            "Since its start.",
            "s",
            (Query(f"time() - process_start_time_seconds{{{W}}}", "{{instance}}"),),
            "bargauge",
        ),
        Panel(
            "Processor time",
            "One worker is one core.",
            "percentunit",
            (Query(f"rate(process_cpu_seconds_total{{{W}}}[$__rate_interval])", "{{instance}}"),),
            steps=rising(0.7, 0.9),
        ),
        Panel(
            "Memory",
            "Resident, and the least of the limits.",
            "bytes",
            (
                Query(f"process_resident_memory_bytes{{{W}}}", "{{instance}}"),
                Query(f"min(assayer_memory_limit_bytes{{{W}}})", "limit"),
            ),
        ),
        Panel(
            "Open files",
            "Of what the worker may open.",
            "percentunit",
            (Query(f"process_open_fds{{{W}}} / process_max_fds{{{W}}}", "{{instance}}"),),
            steps=rising(0.5, 0.8),
        ),
    ),
)

WORK: Final = Row(
    "What does it do?",
    (
        Panel(
            "Records wait, by partition",
            "One that stands out is stuck, or has more than the others.",
            "short",
            (
                Query(
                    f"topk(20, assayer_consumer_lag{{{W}}})",
                    "{{topic}} {{partition}} {{instance}}",
                ),
            ),
            width=12,
        ),
        Panel(
            "Outcomes",
            "Listing changes handled a second.",
            "cps",
            (
                Query(
                    "sum by (instance, outcome) "
                    f"(rate(assayer_listings_total{{{W}}}[$__rate_interval]))",
                    "{{instance}} {{outcome}}",
                ),
            ),
            width=12,
            stacked=True,
        ),
        Panel(
            "A batch in a stage, p50",
            "screen, examine, facts (Redis), judge, breaker (Redis), deliver (Kafka).",
            "s",
            (
                Query(
                    "histogram_quantile(0.5, sum by (instance, stage, le) "
                    f"(rate(assayer_stage_seconds_bucket{{{W}}}[$__rate_interval])))",
                    "{{instance}} {{stage}}",
                ),
            ),
        ),
        Panel(
            "A batch in a stage, p99",
            "The same.",
            "s",
            (
                Query(
                    "histogram_quantile(0.99, sum by (instance, stage, le) "
                    f"(rate(assayer_stage_seconds_bucket{{{W}}}[$__rate_interval])))",
                    "{{instance}} {{stage}}",
                ),
            ),
        ),
        Panel(
            "Kafka has not acknowledged for",
            "How long the oldest records wait.",
            "s",
            (Query(f"assayer_undelivered_seconds{{{W}}}", "{{instance}}"),),
            steps=rising(5, 30),
        ),
    ),
)

FORCE: Final = Row(
    "What does it judge by?",
    (
        Panel(
            "Registry",
            "Offset of the last right in use; workers differ for seconds at most.",
            "none",
            (Query(f"assayer_registry_version{{{W}}}", "{{instance}}"),),
            least=None,
        ),
        Panel(
            "Policy",
            "Workers by version.",
            "short",
            (Query(f"count by (version) (assayer_policy_info{{{W}}})", "{{version}}"),),
            stacked=True,
        ),
        Panel(
            "Followed",
            "How long ago rights and policies were last followed without an error.",
            "s",
            (
                Query(
                    f"time() - assayer_followed_timestamp_seconds{{{W}}}", "{{instance}} {{topic}}"
                ),
            ),
            steps=rising(60, 600),
        ),
        Panel(
            "Policies",
            "Refused changes, a candidate on trial, muted rules.",
            "short",
            (
                Query(f"max(assayer_policy_refused{{{W}}})", "refused"),
                Query(f"max(assayer_policy_candidate{{{W}}})", "candidate"),
                Query(f"max(assayer_policy_snoozes{{{W}}})", "muted"),
            ),
        ),
        Panel(
            "Sweeps",
            "What stands already, judged for new rights and rules.",
            "cps",
            (
                Query(
                    f"sum by (step) (rate(assayer_swept_listings_total{{{W}}}[$__rate_interval]))",
                    "{{step}}",
                ),
                Query(f"max(assayer_sweep_running{{{W}}})", "running"),
            ),
        ),
        Panel(
            "Watched sellers",
            "0 while views are rebuilt.",
            "short",
            (Query(f"assayer_watched_sellers{{{W}}}", "{{instance}}"),),
        ),
        Panel(
            "Views are brought up to date",
            "Records read from Kafka for it: at a start, a rebuild, after Redis came back empty.",
            "cps",
            (
                Query(
                    "sum by (view) (rate(assayer_view_catch_up_records_total"
                    f"{{{W}}}[$__rate_interval]))",
                    "{{view}}",
                ),
            ),
        ),
        Panel(
            "Certificates end in",
            "Of those that the settings name; none without TLS.",
            "s",
            (
                Query(
                    "min by (setting) "
                    f"(assayer_certificate_expiry_timestamp_seconds{{{W}}} - time())",
                    "{{setting}}",
                ),
            ),
            "bargauge",
            steps=falling(3 * 86_400, 21 * 86_400),
        ),
        Panel(
            "Reviews are given to people from priority",
            "1: none was, or the budget is not asked.",
            "none",
            (Query(f"assayer_review_cut_off_priority{{{W}}} >= 0", "{{instance}}"),),
            most=1,
        ),
    ),
)

WORKER: Final = Dashboard(
    "assayer-worker",
    "Assayer: workers",
    "Which worker, and where in it.",
    (WELL, WORK, FORCE),
    (
        Variable("job", "label_values(assayer_health_up, job)"),
        Variable("instance", 'label_values(assayer_health_up{job=~"$job"}, instance)'),
    ),
)
