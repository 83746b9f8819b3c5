"""The dashboard that a person reads in ten seconds: the first row, then why."""

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

J: Final = 'job=~"$job"'
LISTINGS: Final = f'assayer_consumer_lag{{{J}, topic=~".*marketplace[.]listings"}}'


def tile(title: str, says: str, unit: str, expr: str, steps: tuple[Step, ...]) -> Panel:
    """Return one number of the first row."""
    return Panel(title, says, unit, (Query(expr),), "stat", width=3, steps=steps)


NOW: Final = Row(
    "Now",
    (
        tile(
            "Workers ready",
            "Workers whose checks all pass. None: AssayerNoWorker.",
            "short",
            f'count(min by (job, instance) (assayer_health_up{{{J}, probe="ready"}}) == 1)'
            " or vector(0)",
            (Step(RED), Step(GREEN, 1)),
        ),
        tile(
            "Alerts",
            "Alerts that fire. Each has a runbook of its name in deploy/runbooks.",
            "short",
            'count(ALERTS{alertstate="firing", service="assayer"}) or vector(0)',
            rising(1, 3),
        ),
        tile(
            "Handled within, p99",
            "From the change on the marketplace to the acknowledged takedown, or to the verdict "
            "for what is allowed, over five minutes.",
            "s",
            f"max(job:assayer_handling_seconds:p99{{{J}}})",
            rising(0.5, 1),
        ),
        tile(
            "Before the first sale",
            "Share of the takedowns of an hour that came before anybody had bought.",
            "percentunit",
            f"sum(rate(assayer_before_first_sale_total{{{J}}}[1h]))"
            f" / sum(rate(assayer_takedowns_sales_known_total{{{J}}}[1h]))",
            falling(0.9, 0.95),
        ),
        tile(
            "Held",
            "Takedowns over a quota that wait for a person: assayer breaker status.",
            "short",
            f"max(assayer_held_takedowns{{{J}}})",
            (Step(GREEN), Step(RED, 1)),
        ),
        tile(
            "Dead letters in an hour",
            "Records that could not be handled: assayer dead-letters list.",
            "short",
            f"(sum(increase(assayer_dead_letters_total{{{J}}}[1h])) or vector(0))",
            rising(1, 100),
        ),
        tile(
            "Listings wait",
            "Listing changes that are not handled yet.",
            "short",
            f"sum({LISTINGS})",
            rising(10_000, 100_000),
        ),
        tile(
            "Listings a second",
            "Listing changes handled, by all workers.",
            "cps",
            f"sum(rate(assayer_listings_total{{{J}}}[$__rate_interval]))",
            (Step("blue"),),
        ),
    ),
)

HEALTHY: Final = Row(
    "Is it healthy?",
    (
        Panel(
            "Servers answer",
            "Kafka, Redis and the schema registry, as the worker sees them that sees them worst.",
            "none",
            (Query(f"min by (dependency) (assayer_dependency_up{{{J}}})", "{{dependency}}"),),
            "state-timeline",
            mappings=UP_OR_DOWN,
            steps=(Step(RED), Step(GREEN, 1)),
            most=1,
        ),
        Panel(
            "Checks pass",
            "What /health/ready and /health/live check, of the worker where it fails.",
            "none",
            (Query(f"min by (check) (assayer_health_up{{{J}}})", "{{check}}"),),
            "state-timeline",
            mappings=UP_OR_DOWN,
            steps=(Step(RED), Step(GREEN, 1)),
            most=1,
        ),
        Panel(
            "Alerts",
            "Which fire.",
            "short",
            (
                Query('count by (alertname) (ALERTS{alertstate="firing"})', "{{alertname}}"),
                Query("vector(0)", "none"),
            ),
            "bargauge",
            steps=(Step(RED),),
        ),
        Panel(
            "Dead letters",
            "Records that could not be handled, by where they came from and why.",
            "cps",
            (
                Query(
                    f"sum by (topic, reason) (rate(assayer_dead_letters_total{{{J}}}"
                    "[$__rate_interval]))",
                    "{{topic}}: {{reason}}",
                ),
            ),
        ),
        Panel(
            "Objectives used up",
            "How many times faster than in 30 days, over an hour. AssayerHandlingSlow, "
            "AssayerSoldBeforeTakedown and AssayerListingsUnjudged page from 14.4 on.",
            "none",
            (
                Query(f"job:assayer_handling_slow:burn_rate1h{{{J}}}", "handling {{job}}"),
                Query(f"job:assayer_sold_first:burn_rate1h{{{J}}}", "before a sale {{job}}"),
                Query(f"job:assayer_unjudged:burn_rate1h{{{J}}}", "judged {{job}}"),
            ),
            steps=rising(1, 14.4),
        ),
        Panel(
            "Kafka has not acknowledged for",
            "How long the oldest records of each worker wait.",
            "s",
            (Query(f"assayer_undelivered_seconds{{{J}}}", "{{instance}}"),),
            steps=rising(5, 30),
        ),
    ),
)

FAST: Final = Row(
    "Is it fast?",
    (
        Panel(
            "Handling time",
            "From the change on the marketplace to the acknowledged takedown, or to the verdict "
            "for what is allowed.",
            "s",
            (
                Query(f"job:assayer_handling_seconds:p50{{{J}}}", "p50 {{job}}"),
                Query(f"job:assayer_handling_seconds:p99{{{J}}}", "p99 {{job}}"),
            ),
            steps=(Step(GREEN), Step(RED, 1)),
        ),
        Panel(
            "Where a batch spends it, p99",
            "screen, examine, facts (Redis), judge, breaker (Redis), deliver (Kafka).",
            "s",
            (
                Query(
                    "histogram_quantile(0.99, sum by (stage, le) "
                    f"(rate(assayer_stage_seconds_bucket{{{J}}}[$__rate_interval])))",
                    "{{stage}}",
                ),
            ),
        ),
        Panel(
            "Before the first sale",
            "Share of takedowns, over sliding windows, of the worker where it is lowest.",
            "percentunit",
            (
                Query(
                    f"min by (window) (assayer_before_first_sale_ratio{{{J}}} >= 0)", "{{window}}"
                ),
            ),
            most=1,
        ),
    ),
)

FAIR: Final = Row(
    "Is it fair?",
    (
        Panel(
            "Taken down and reviewed",
            "Share of listing changes. A jump of removals is a bad right, a bad rule, or a wave.",
            "percentunit",
            (
                Query(
                    f'sum by (outcome) (rate(assayer_listings_total{{{J}, outcome!="allow"}}'
                    "[$__rate_interval])) / ignoring (outcome) group_left "
                    f"sum(rate(assayer_listings_total{{{J}}}[$__rate_interval]))",
                    "{{outcome}}",
                ),
            ),
        ),
        Panel(
            "Takedowns by rule",
            "The ten rules that decide most.",
            "cps",
            (
                Query(
                    "topk(10, sum by (rule, source) (rate(assayer_takedowns_total"
                    f"{{{J}}}[$__rate_interval])))",
                    "{{rule}} {{source}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            "Rules that fire",
            "Enforced ones, and those that only watch: shadow, candidate, snoozed.",
            "cps",
            (
                Query(
                    "topk(10, sum by (rule, mode) (rate(assayer_rule_hits_total"
                    f"{{{J}}}[$__rate_interval])))",
                    "{{rule}} {{mode}}",
                ),
            ),
        ),
        Panel(
            "Reviews",
            "Cases for people, and those for which there is nobody (overflow).",
            "cps",
            (
                Query(
                    f"sum by (queue) (rate(assayer_reviews_total{{{J}}}[$__rate_interval]))",
                    "{{queue}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            "Budget of reviews used",
            "Of this hour's, and this day's, by all workers.",
            "percentunit",
            (
                Query(
                    f"max by (window) (assayer_review_budget_used_ratio{{{J}}} >= 0)", "{{window}}"
                ),
            ),
            most=1,
        ),
        Panel(
            "Rights in force",
            "A drop is takedowns that are not made.",
            "short",
            (Query(f"min by (job) (assayer_registry_rights{{{J}}})", "{{job}}"),),
        ),
    ),
)

HELD: Final = Row(
    "What is held?",
    (
        Panel(
            "Takedowns held",
            "Over a quota, until a person decides: assayer breaker status.",
            "short",
            (Query(f"max by (job) (assayer_held_takedowns{{{J}}})", "{{job}}"),),
            width=12,
            steps=(Step(GREEN), Step(RED, 1)),
        ),
        Panel(
            "Takedowns that went through",
            "Beside what is held: acknowledged by Kafka.",
            "cps",
            (
                Query(
                    f"sum by (source) (rate(assayer_takedowns_total{{{J}}}[$__rate_interval]))",
                    "{{source}}",
                ),
            ),
            width=12,
        ),
    ),
)

HEADROOM: Final = Row(
    "Is there headroom?",
    (
        Panel(
            "Records wait",
            "By topic: listings, and what facts are made of.",
            "short",
            (Query(f"sum by (topic) (assayer_consumer_lag{{{J}}})", "{{topic}}"),),
        ),
        Panel(
            "Time to catch up",
            "What waits, at the present rate. AssayerLagging from five minutes on.",
            "s",
            (
                Query(
                    f"sum by (job) ({LISTINGS})"
                    f" / sum by (job) (rate(assayer_listings_total{{{J}}}[$__rate_interval]))",
                    "{{job}}",
                ),
            ),
            steps=rising(60, 300),
        ),
        Panel(
            "Listings a second",
            "By worker.",
            "cps",
            (
                Query(
                    f"sum by (instance) (rate(assayer_listings_total{{{J}}}[$__rate_interval]))",
                    "{{instance}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            "Processor time",
            "One worker is one core: near 1 it is full.",
            "percentunit",
            (Query(f"rate(process_cpu_seconds_total{{{J}}}[$__rate_interval])", "{{instance}}"),),
            steps=rising(0.7, 0.9),
        ),
        Panel(
            "Memory",
            "Of what the worker's control group, or the machine, gives it.",
            "percentunit",
            (
                Query(
                    f"process_resident_memory_bytes{{{J}}}"
                    f" / on (job, instance) assayer_memory_limit_bytes{{{J}}}",
                    "{{instance}}",
                ),
            ),
            steps=rising(0.8, 0.9),
        ),
        Panel(
            "Workers ready",
            "Beside those that are scraped.",
            "short",
            (
                Query(
                    f'count(min by (job, instance) (assayer_health_up{{{J}, probe="ready"}}) == 1)',
                    "ready",
                ),
                Query(f"count(up{{{J}}})", "scraped"),
            ),
        ),
    ),
)

OVERVIEW: Final = Dashboard(
    "assayer-overview",
    "Assayer",
    "Is it healthy, is it fast, is it fair, what is held, is there headroom?",
    (NOW, HEALTHY, FAST, FAIR, HELD, HEADROOM),
    (Variable("job", "label_values(assayer_health_up, job)"),),
)
