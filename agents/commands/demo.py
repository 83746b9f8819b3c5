"""`assayer demo`: everything at once, with no server."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Annotated, Any

from cyclopts import Parameter

from agents.commands.console import NO, CommandError, Json, emit, say
from agents.commands.worker import configure_logging, run
from agents.records import Takedown
from streams.settings import Settings


def demo(
    *,
    listings: int | None = None,
    serve: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
) -> None:
    """Run the worker on embedded services, feed it a shipped sample, and show what it takes down.

    Nothing has to be installed or running. Nothing is left behind but compiled expressions in the
    user's cache folder.

    Example: assayer demo --listings 1000

    Parameters
    ----------
    listings
        How many listings to feed; the sample once without it, repeated beyond that.
    serve
        Keep the worker and its metrics up afterwards, until Ctrl-C.
    json
        Takedowns as JSON lines, then the summary.
    """
    if listings is not None and listings < 1:
        raise CommandError("--listings: must be at least 1")
    from agents.demo.run import Summary, run_demo
    from agents.worker import Worker

    configure_logging("ERROR")
    # The demo is the same whatever the environment is set up for; only its port is the user's.
    settings = Settings()
    settings = settings.model_copy(
        update={
            "topic_prefix": "",
            "policy_file": None,
            "metrics_port": settings.metrics_port if serve else 0,
            "redis_timeout_ms": 2000,
        }
    )
    if not json:
        say("starting a Kafka, a Redis and a registry of its own …")

    def show(record: Takedown, seconds: float) -> None:
        if json:
            emit(record)
        else:
            say(_line(record, seconds))
            sys.stdout.flush()

    def serving(worker: Worker, summary: Summary) -> None:
        _summarise(summary, json=json, serve=True)
        if not json:
            say(f"serving {worker.url}/metrics and /health/ready; stop with Ctrl-C")
        sys.stdout.flush()

    async def main() -> Summary:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        demonstration = asyncio.ensure_future(
            run_demo(
                settings,
                count=listings,
                show=show,
                serving=serving if serve else None,
                stop=stop,
            )
        )
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({demonstration, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not serve and not demonstration.done():
            demonstration.cancel()
        stopping.cancel()
        return await demonstration

    summary: list[Summary] = []

    async def keep() -> None:
        summary.append(await main())

    try:
        run(keep())
    except asyncio.CancelledError:
        raise CommandError("stopped", 130) from None
    except BrokenPipeError:
        raise  # nobody reads on: that is no fault of the demo
    except (TimeoutError, RuntimeError, OSError) as error:
        raise CommandError(f"the demo could not run: {error}", NO) from error
    if not serve:
        _summarise(summary[0], json=json, serve=False)


def _line(record: Takedown, seconds: float) -> str:
    found = next((e for e in record.evidence if e.signal == "mark"), None)
    quoted = f"'{found.text}' in {found.field}" if found else ""
    words = next((e.text for e in record.evidence if e.signal == "replica_words"), "")
    because = ", ".join(part for part in (quoted, f"'{words}'" if words else "") if part)
    return (
        f"removed  {record.listing_id:<16}  {seconds * 1000:4.0f} ms  {record.rules[0]}: {because}"
    )


def _summarise(summary: Any, *, json: bool, serve: bool) -> None:
    removed = len(summary.handling)
    share = summary.before_first_sale / removed if removed else None
    p50, p99 = summary.percentile(0.5) * 1000, summary.percentile(0.99) * 1000
    if json:
        emit(
            {
                "summary": {
                    "listings": summary.listings,
                    "outcomes": summary.outcomes,
                    "handling_ms": {"p50": p50, "p99": p99},
                    "before_first_sale": share,
                    "held": summary.held,
                    "seconds": round(summary.seconds, 3),
                }
            }
        )
        return
    outcomes = ", ".join(f"{count} {name}" for name, count in summary.outcomes.items() if count)
    say()
    say(f"{summary.listings} listings in {summary.seconds:.1f} s: {outcomes}")
    told = f"{share:.0%} before the first sale" if share is not None else "nothing taken down"
    say(f"handling time p50 {p50:.0f} ms, p99 {p99:.0f} ms; {told}")
    if summary.held:
        say(f"{summary.held} more takedowns were over a quota, and are held for a person")
    if not serve:
        say(
            "next: assayer demo --serve keeps it up with metrics; README.md leads to a real Kafka; "
            "assayer screen judges your own listings"
        )
