"""For every alert what makes it fire, and what just does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.unit.operations.rules import Case, Firing

JOB: Final = {"job": "assayer"}
A: Final = {"job": "assayer", "instance": "a"}
LISTINGS: Final = "eu.marketplace.listings"


def of(name: str, instance: str = "a", **labels: str) -> str:
    """Return a series of a worker."""
    shown = {"job": "assayer", "instance": instance, **labels}
    return name + "{" + ", ".join(f'{key}="{value}"' for key, value in shown.items()) + "}"


def outcomes(steps: int, **numbers: float) -> dict[str, str]:
    """Return the series of listing changes a step by outcome."""
    return {
        of("assayer_listings_total", outcome=name): f"0+{number:g}x{steps}"
        for name, number in numbers.items()
    }


@dataclass(frozen=True, slots=True)
class Period:
    """Steps in which an objective is missed at a burn rate, after steps in which it is not."""

    good: int
    bad: int

    def counter(self, well: float, badly: float) -> str:
        """Return a counter that rises by `well` a step at first, then by `badly`."""
        start = well * self.good
        return f"0+{well:g}x{self.good} {start + badly:g}+{badly:g}x{self.bad}"


def handling(burn: float, period: Period) -> dict[str, str]:
    """Return 1,000 changes a step, slower than a second at this burn rate."""
    fast = of("assayer_handling_seconds_bucket", le="1.0")
    return {
        fast: period.counter(1000, 1000 * (1 - 0.01 * burn)),
        of("assayer_handling_seconds_bucket", le="+Inf"): period.counter(1000, 1000),
        of("assayer_handling_seconds_count"): period.counter(1000, 1000),
    }


def sold(burn: float, period: Period) -> dict[str, str]:
    """Return 100 takedowns a step, after a sale at this burn rate."""
    return {
        of("assayer_before_first_sale_total"): period.counter(100, 100 * (1 - 0.05 * burn)),
        of("assayer_takedowns_sales_known_total"): period.counter(100, 100),
    }


def unjudged(burn: float, period: Period) -> dict[str, str]:
    """Return 10,000 changes a step, dead letters at this burn rate."""
    dead = 10_000 * 0.001 * burn
    return {
        of("assayer_listings_total", outcome="allow"): period.counter(10_000, 10_000 - dead),
        of("assayer_listings_total", outcome="dead_letter"): period.counter(0, dead),
    }


SUMMARIES: Final = {
    "AssayerHandlingSlow": "Listing changes take longer than 1 s",
    "AssayerSoldBeforeTakedown": "Takedowns come after a sale",
    "AssayerListingsUnjudged": "Listing changes are not judged",
}


def burning(alert: str, severity: str, rate: str) -> Firing:
    """Return the alert of an objective as it fires with a burn rate."""
    summary = f"{SUMMARIES[alert]}: {rate} times what the objective allows"
    return Firing(severity, summary, JOB)


HOUR: Final = Period(good=480, bad=22)
"""A good day, then an hour and six minutes, in steps of three minutes."""
SHIFT: Final = Period(good=0, bad=120)
"""Eight hours, in steps of four minutes: more than the shorter window of a warning."""


def _fast_and_slow() -> tuple[Case, ...]:
    """Return for each objective one case an hour long, and one of a whole shift."""
    return tuple(
        case
        for alert, series in (
            ("AssayerHandlingSlow", handling),
            ("AssayerSoldBeforeTakedown", sold),
            ("AssayerListingsUnjudged", unjudged),
        )
        for case in (
            Case(
                alert,
                "1506m",
                series(15.5, HOUR),
                series(13.9, HOUR),
                (burning(alert, "critical", "15.5"),),
                early="1491m",
                step="3m",
            ),
            Case(
                alert,
                "8h",
                series(1.1, SHIFT),
                series(0.9, SHIFT),
                (burning(alert, "warning", "1.1"),),
                early="12m",
                step="4m",
            ),
        )
    )


NIGHT: Final = Period(good=480, bad=124)
"""A good day, then six hours and twelve minutes, in steps of three minutes."""

OBJECTIVES: Final = (
    Case(
        "AssayerHandlingSlow",
        "1812m",
        handling(6.5, NIGHT),
        handling(5.5, NIGHT),
        (
            burning("AssayerHandlingSlow", "critical", "6.5"),
            burning("AssayerHandlingSlow", "warning", "1.3"),
        ),
        early="1500m",
        step="3m",
        still=(burning("AssayerHandlingSlow", "warning", "1.1"),),
    ),
    *_fast_and_slow(),
)
FLOW: Final = (
    Case(
        "AssayerTakedownsHeld",
        "2m",
        {
            of("assayer_held_takedowns", "a"): "0 0 2 2 0",
            of("assayer_held_takedowns", "b"): "NaN 0 1 2 0",
            of("assayer_held_takedowns", "c"): "NaN NaN NaN",
        },
        {of("assayer_held_takedowns", name): "0 0 0 0" for name in ("a", "b")},
        (Firing("critical", "2 takedowns over a quota wait for a person", JOB),),
        early="1m",
    ),
    Case(
        "AssayerLagging",
        "20m",
        {
            **outcomes(30, allow=600),
            of("assayer_consumer_lag", topic=LISTINGS, partition="0"): "2000x30",
            of("assayer_consumer_lag", "b", topic=LISTINGS, partition="1"): "1100x30",
        },
        {of("assayer_consumer_lag", "b", topic=LISTINGS, partition="1"): "900x30"},
        (Firing("warning", "Listings wait 5m 10s at the present rate", JOB),),
        early="9m",
    ),
    Case(
        "AssayerFactsLag",
        "12m",
        {
            of("assayer_consumer_lag", topic="marketplace.sales", partition="0"): "6000x15",
            of("assayer_consumer_lag", topic="marketplace.sales", partition="1"): "4001x15",
            of("assayer_consumer_lag", topic=LISTINGS, partition="1"): "99999x15",
        },
        {of("assayer_consumer_lag", topic="marketplace.sales", partition="0"): "5999x15"},
        (
            Firing(
                "warning",
                "10001 records of marketplace.sales wait",
                {**JOB, "topic": "marketplace.sales"},
            ),
        ),
        early="9m",
    ),
    Case(
        "AssayerNoProgress",
        "15m",
        {
            of("assayer_listings_total", outcome="allow"): "0+10x5 50x15",
            of("assayer_consumer_lag", topic=LISTINGS, partition="0"): "1x20",
            of("assayer_consumer_lag", topic=LISTINGS, partition="1"): "1x20",
        },
        {of("assayer_listings_total", outcome="allow"): "0+1x20"},
        (Firing("critical", "2 listings wait and none is handled", JOB),),
        early="11m",
    ),
    Case(
        "AssayerUndelivered",
        "4m",
        {of("assayer_undelivered_seconds"): "0 5 31 31 31"},
        {of("assayer_undelivered_seconds"): "0 5 29 30 30"},
        (Firing("critical", "a waits for Kafka to take its records, 31s by now", A),),
        early="2m",
    ),
    Case(
        "AssayerDeadLetters",
        "20m",
        {
            of("assayer_dead_letters_total", topic=LISTINGS, reason="not_avro"): "_x18 1 1 1 1",
            of("assayer_dead_letters_total", topic=LISTINGS, reason="no_schema"): "4x30",
        },
        {of("assayer_dead_letters_total", topic=LISTINGS, reason="not_avro"): "_x30"},
        (
            Firing(
                "warning",
                f"Records of {LISTINGS} could not be handled: not_avro",
                {**JOB, "topic": LISTINGS, "reason": "not_avro"},
            ),
        ),
        early="17m",
    ),
    Case(
        "AssayerDeadLetters",
        "20m",
        {of("assayer_dead_letters_total", topic=LISTINGS, reason="not_avro"): "4x17 5x30"},
        {of("assayer_dead_letters_total", topic=LISTINGS, reason="not_avro"): "4x30"},
        (
            Firing(
                "warning",
                f"Records of {LISTINGS} could not be handled: not_avro",
                {**JOB, "topic": LISTINGS, "reason": "not_avro"},
            ),
        ),
        early="17m",
    ),
)


def ready(instance: str, values: str, check: str = "views") -> dict[str, str]:
    """Return a worker's checks of readiness: all pass, but one has these values."""
    checks = {"kafka": "1x40", "views": "1x40", "registry": "1x40", check: values}
    return {
        of("assayer_health_up", instance, probe="ready", check=name): passes
        for name, passes in checks.items()
    }


WORKERS: Final = (
    Case(
        "AssayerNoWorker",
        "6m",
        {**ready("a", "1x1 0x40"), **ready("b", "0x40")},
        ready("b", "1x40"),
        (Firing("critical", "No worker is ready", JOB),),
        early="4m",
    ),
    Case(
        "AssayerNoWorker",
        "6m",
        {of("up"): "1 1 0x40", 'assayer_health_up{job="us/assayer", probe="ready"}': "1x40"},
        {of("up", "b"): "1 1 1x40"},
        (Firing("critical", "No worker is ready", JOB),),
        early="4m",
    ),
    Case(
        "AssayerNoWorker",
        "4m",
        {},
        ready("a", "1x40"),
        (Firing("critical", "No worker is ready"),),
        early="2m",
    ),
    Case(
        "AssayerWorkerDown",
        "8m",
        {of("up"): "1 1 0x20", of("up", "b"): "1x20"},
        {of("up"): "1 1 0 0 0 0 0 1 1 1"},
        (Firing("warning", "a can't be scraped", A),),
        early="6m",
    ),
    Case(
        "AssayerWorkerNotReady",
        "12m",
        {**ready("a", "1x1 0x40", "registry"), **ready("b", "1x40")},
        ready("a", "1x1 0x8 1x30", "registry"),
        (Firing("warning", "a is not ready: registry", {**A, "check": "registry"}),),
        early="10m",
    ),
    Case(
        "AssayerWorkerStuck",
        "4m",
        {
            of("assayer_health_up", probe="live", check="progress"): "1 1 0x20",
            of("assayer_health_up", probe="live", check="event_loop"): "1x20",
            of("assayer_health_up", probe="ready", check="views"): "0x20",
        },
        {of("assayer_health_up", probe="live", check="progress"): "1x20"},
        (Firing("critical", "a is stuck: progress", {**A, "check": "progress"}),),
        early="2m",
    ),
    Case(
        "AssayerRestarting",
        "12m",
        {of("process_start_time_seconds"): "100x3 200x3 300x3 400x9"},
        {of("process_start_time_seconds"): "100x6 300x3 400x9"},
        (Firing("warning", "a was started 3 times in half an hour", A),),
        early="10m",
    ),
    Case(
        "AssayerNoHeadroom",
        "40m",
        {of("process_cpu_seconds_total"): "0+57x50"},
        {of("process_cpu_seconds_total"): "0+53x50"},
        (Firing("warning", "a takes 95% of a core", A),),
        early="29m",
    ),
    Case(
        "AssayerMemoryNearLimit",
        "11m",
        {
            of("process_resident_memory_bytes"): "950x20",
            of("assayer_memory_limit_bytes"): "1000x20",
        },
        {of("process_resident_memory_bytes"): "890x20"},
        (Firing("warning", "a takes 95% of its memory", A),),
        early="9m",
    ),
)


def _removals(changes: int, over: float, under: float, shown: str) -> Case:
    """Return a jump of removals: ten hours of 1 % of the changes of a minute, then a larger share.

    The share of the day has the jump in it as well.
    """

    def series(share: float) -> dict[str, str]:
        jump = Period(good=600, bad=25)
        return {
            of("assayer_listings_total", outcome="allow"): jump.counter(
                0.99 * changes, (1 - share) * changes
            ),
            of("assayer_listings_total", outcome="remove"): jump.counter(
                0.01 * changes, share * changes
            ),
        }

    summary = f"{shown} of listing changes are taken down, three times as many as usual"
    firing = Firing("warning", summary, JOB)
    return Case("AssayerRemovalsJump", "622m", series(over), series(under), (firing,), early="617m")


JUDGEMENT: Final = (
    Case(
        "AssayerNotFollowing",
        "15m",
        {
            of("assayer_followed_timestamp_seconds", topic="rights"): "0+60x2 120x20",
            of("assayer_followed_timestamp_seconds", topic="policies"): "0+60x20",
        },
        {of("assayer_followed_timestamp_seconds", topic="rights"): "0+60x6 360x20"},
        (
            Firing(
                "warning",
                "a has not followed rights for 13m 0s",
                {**A, "topic": "rights"},
            ),
        ),
        early="13m",
    ),
    Case(
        "AssayerVersionsDiffer",
        "7m",
        {
            of("assayer_registry_version"): "7 8 8x20",
            of("assayer_registry_version", "b"): "7 7 7x20",
            of("assayer_registry_version", "starting"): "-1x20",
        },
        {of("assayer_registry_version", "b"): "7 7 7 7 7 8x20"},
        (
            Firing(
                "warning",
                "Workers judge by different versions of the registry",
                {**JOB, "of": "registry"},
            ),
        ),
        early="5m",
    ),
    Case(
        "AssayerVersionsDiffer",
        "7m",
        {
            of("assayer_policy_info", version="default-1"): "1x20",
            of("assayer_policy_info", "b", version="default-1"): "1 stale",
            of("assayer_policy_info", "b", version="default-2"): "_ 1x20",
        },
        {
            of("assayer_policy_info", version="default-1"): "1 1 1 1 stale",
            of("assayer_policy_info", version="default-2"): "_ _ _ _ 1x20",
        },
        (
            Firing(
                "warning",
                "Workers judge by different versions of the policy",
                {**JOB, "of": "policy"},
            ),
        ),
        early="5m",
    ),
    Case(
        "AssayerPolicyRefused",
        "6m",
        {of("assayer_policy_refused"): "0 1x20", of("assayer_policy_refused", "b"): "0x20"},
        {of("assayer_policy_refused"): "0x20"},
        (Firing("warning", "1 changes of the policy are refused", JOB),),
        early="5m",
    ),
    Case(
        "AssayerRightsDropped",
        "70m",
        {
            of("assayer_registry_rights"): "1000x60 890x60",
            of("assayer_registry_rights", "b"): "950x120",
            of("assayer_registry_rights", "starting"): "0x120",
            **{
                of("assayer_health_up", name, probe="ready", check="registry"): f"{read}x120"
                for name, read in (("a", 1), ("b", 1), ("starting", 0))
            },
        },
        {of("assayer_registry_rights"): "1000x60 910x60"},
        (
            Firing(
                "warning",
                "Only 890 rights are left: more than a tenth is gone within an hour",
                JOB,
            ),
        ),
        early="64m",
    ),
    _removals(1000, 0.033, 0.031, "3.3%"),
    _removals(200, 0.035, 0.033, "3.5%"),  # 105 in a quarter of an hour, and 99
    Case(
        "AssayerReviewsOverflow",
        "40m",
        {
            of("assayer_reviews_total", queue="work"): "0+10x100",
            of("assayer_reviews_total", queue="overflow"): "0+6x100",
            of("assayer_reviews_total", "b", queue="overflow"): "0+5x100",
        },
        {of("assayer_reviews_total", queue="overflow"): "0+4x100"},
        (Firing("warning", "440 reviews in an hour have nobody to work them", JOB),),
        early="30m",
    ),
    Case(
        "AssayerReviewsOverflow",
        "100m",
        {
            of("assayer_reviews_total", queue="work"): "0+0.5x100",
            of("assayer_reviews_total", queue="overflow"): "0+0.93x100",
        },
        {of("assayer_reviews_total", queue="overflow"): "0+0.75x100"},
        (Firing("warning", "55.8 reviews in an hour have nobody to work them", JOB),),
        early="30m",
    ),
)

DAY: Final = 86_400


def ends(instance: str = "a", setting: str = "kafka_ssl_ca_location") -> str:
    """Return the series of when a certificate ends."""
    return of("assayer_certificate_expiry_timestamp_seconds", instance, setting=setting)


DEPENDENCIES: Final = (
    Case(
        "AssayerDependencyDown",
        "3m",
        {
            of("assayer_dependency_up", dependency="redis"): "1 0x20",
            of("assayer_dependency_up", "b", dependency="redis"): "1 0x20",
            of("assayer_dependency_up", dependency="kafka"): "1x20",
        },
        {of("assayer_dependency_up", "b", dependency="redis"): "1x20"},
        (Firing("critical", "redis answers no worker", {**JOB, "dependency": "redis"}),),
        early="1m",
    ),
    Case(
        "AssayerDependencyDown",
        "7m",
        {
            of("assayer_dependency_up", dependency="redis"): "1 0x20",
            of("assayer_dependency_up", "b", dependency="redis"): "1x20",
        },
        {of("assayer_dependency_up", dependency="redis"): "1 0 0 0 0 1x20"},
        (
            Firing(
                "warning",
                "redis does not answer some of the workers",
                {**JOB, "dependency": "redis"},
            ),
        ),
        early="5m",
    ),
    Case(
        "AssayerCertificateExpires",
        "20m",
        {ends(): f"{3 * DAY}x90", ends("b"): f"{90 * DAY}x90"},
        {ends(): f"{3 * DAY + 3600}x90"},
        (
            Firing(
                "critical",
                "The certificate of kafka_ssl_ca_location ends in 2d 23h 40m 0s",
                {**JOB, "setting": "kafka_ssl_ca_location"},
            ),
        ),
        early="9m",
    ),
    Case(
        "AssayerCertificateExpires",
        "70m",
        {
            ends(): f"{21 * DAY}x90",
            ends("b"): f"{90 * DAY}x90",
            ends(setting="unread"): "NaN " * 90,
        },
        {ends(): f"{21 * DAY + 7200}x90", ends(setting="unread"): f"{90 * DAY}x90"},
        tuple(
            Firing(
                "warning",
                f"The certificate of {name} ends within three weeks, or can't be read",
                {**JOB, "setting": name},
            )
            for name in ("kafka_ssl_ca_location", "unread")
        ),
        early="55m",
    ),
)

CASES: Final = (*OBJECTIVES, *FLOW, *WORKERS, *JUDGEMENT, *DEPENDENCIES)
