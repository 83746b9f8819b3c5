"""A listing that comes again without the mark is reviewed; another honest one is left alone."""

from __future__ import annotations

import itertools
import os
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from agents.history.fingerprints import Alike, alike, alone
from agents.history.recall import Past, Relisting
from agents.history.removals import Removal
from agents.monitoring.decisions import decision_of
from agents.monitoring.judge import Judge, Judgement
from agents.monitoring.policies import Policy, default_policy
from agents.monitoring.policies.policy import compile_policy
from agents.monitoring.registry import compile_registry
from agents.monitoring.relisting import unnamed_needs
from agents.monitoring.remembering import ask_of, fingerprint_of, needs_of
from agents.records import AuthorisedSeller, Fingerprint, Listing, Right
from agents.reputation import SellerFacts, Standing
from agents.takedowns import statement_of_reasons
from tests.benchmarks.judgement.bases import real_rows, sample_rows
from tests.benchmarks.judgement.real import occurring

NOW = 1_790_000_000_000
DAY = 86_400_000
RIGHTS = (
    Right("tm-1", "Zorvex Ltd", mark="Zorvex", authorised_sellers=(AuthorisedSeller("s-ok"),)),
    Right("tm-2", "Old SA", mark="Quandrel", valid_until=NOW - DAY),
    Right("tm-3", "Mirabex AG", mark="Mirabex", authorised_sellers=(AuthorisedSeller("s"),)),
)
JUDGE = Judge(compile_registry(RIGHTS, "1"), default_policy())
CLEAN = SellerFacts("s", NOW - 900 * DAY, True, Standing())
GOODS = "Diver 300 automatic men watch steel bracelet blue dial, sapphire glass"


def _listing(title: str, **values: object) -> Listing:
    return msgspec.structs.replace(Listing("l", "s", NOW, title), **values)


def _print(title: str, judge: Judge = JUDGE, **values: object) -> Fingerprint:
    found = fingerprint_of(judge.examine(_listing(title, **values), NOW, watched=True))
    assert found is not None
    return found


def _again(
    rights: tuple[str, ...] = ("tm-1",), likeness: Alike | None = None, title: str = GOODS
) -> Relisting:
    removal = Removal("0b2c-1", "gone", 1, NOW - 10 * DAY, _print(f"Zorvex {title}"), rights)
    return Relisting(removal, likeness or Alike(title=0.97, telling=True))


def _judge(listing: Listing, past: Past | None, judge: Judge = JUDGE) -> Judgement:
    return judge.decide(judge.examine(listing, NOW, watched=True), CLEAN, past)


def _past(*own: Relisting, linked: Sequence[Relisting] = ()) -> Past:
    return Past(own, tuple(linked))


@pytest.mark.parametrize(
    "title",
    [
        GOODS,
        f"{GOODS} AAA quality",
        f"Replica 1:1 {GOODS}",
        f"Zandero {GOODS}",
        f"Zor\u200bvex {GOODS}",
        "Sapphire glass, blue dial, steel bracelet: men watch automatic Diver 300",
    ],
    ids=["dropped", "words added", "words before", "another name", "disguised", "turned round"],
)
def test_the_mark_and_words_of_copying_count_on_neither_side(title: str) -> None:
    removed = _print(f"Zorvex {GOODS} - replica 1:1")
    found = alike(_print(title), removed)
    assert found.title >= (0.85 if "Zandero" in title else 0.99)
    assert alone(found)


def test_a_relisting_without_the_mark_is_reviewed_under_the_right_of_the_takedown() -> None:
    judgement = _judge(_listing(GOODS), _past(_again()))
    verdict = judgement.verdict
    assert (verdict.outcome, verdict.rules) == ("review", ("relisted",))
    assert [right.right_id for right in judgement.rights] == ["tm-1"]
    (evidence,) = [e for e in verdict.evidence if e.signal == "relisted"]
    assert evidence.right_id == "tm-1"
    assert "title 97% alike" in evidence.note
    assert "takedown 0b2c-1" in evidence.note
    assert "mark" not in " ".join(judgement.reasons)
    assert not [e for e in verdict.evidence if e.signal == "mark"]


@pytest.mark.parametrize(
    ("past", "seller"),
    [
        (_past(), "s"),
        (_past(_again(())), "s"),
        (_past(_again(("tm-2",))), "s"),
        (_past(_again(("tm-3",))), "s"),
        (_past(_again(("tm-withdrawn",))), "s"),
        (_past(_again()), "s-ok"),
        (_past(_again(likeness=Alike(title=0.8, telling=True))), "s"),
        (_past(_again(title="leather wallet", likeness=Alike(title=1.0))), "s"),
    ],
    ids=[
        "nothing alike", "no right", "expired", "authorised", "withdrawn", "authorised seller",
        "not close enough", "title of anybody's",
    ],
)  # fmt: skip
def test_what_does_not_speak_against_it(past: Past, seller: str) -> None:
    assert _judge(_listing(GOODS, seller_id=seller), past).verdict.outcome == "allow"


def test_a_picture_or_a_gtin_is_close_enough() -> None:
    for likeness in (Alike(images=1), Alike(gtin="04006381333931")):
        again = _again(likeness=likeness, title="leather wallet")
        assert _judge(_listing("Wallet"), _past(again)).verdict.rules == ("relisted",)


def test_own_and_linked_removals_speak_each_for_their_right() -> None:
    rights = (*RIGHTS, Right("tm-4", "Fjell AS", mark="Fjellvik"))
    judge = Judge(compile_registry(rights, "1"), default_policy())
    past = _past(_again(("tm-3",)), linked=[_again(("tm-4",))])
    verdict = _judge(_listing(GOODS), past, judge).verdict
    assert verdict.rules == ("relisted-by-linked-seller",)
    past = _past(_again(("tm-1",)), linked=[_again(("tm-4",))])
    judgement = _judge(_listing(GOODS), past, judge)
    assert judgement.verdict.rules == ("relisted", "relisted-by-linked-seller")
    assert [right.right_id for right in judgement.rights] == ["tm-1", "tm-4"]


def test_another_mark_in_its_place_does_not_cover_it() -> None:
    """The seller may use the mark it names now; the goods were taken down under another."""
    listing = _listing(f"Mirabex {GOODS}")
    assert _judge(listing, _past()).verdict.outcome == "allow"
    judgement = _judge(listing, _past(_again()))
    assert judgement.verdict.rules == ("relisted",)
    assert [right.right_id for right in judgement.rights] == ["tm-1"]
    examination = JUDGE.examine(listing, NOW, watched=True)
    ask = ask_of(examination, needs_of(JUDGE.policy, examination))
    assert ask is not None
    assert ask.removals


def test_a_watched_seller_is_asked_about_and_waited_for() -> None:
    examination = JUDGE.examine(_listing(GOODS), NOW, watched=True)
    ask = ask_of(examination, needs_of(JUDGE.policy, examination))
    assert ask is not None
    assert (ask.removals, ask.pace, ask.before) == (True, False, False)
    assert JUDGE.decide(examination, None).awaits_facts
    assert JUDGE.decide(examination, CLEAN, Past(incomplete=True)).awaits_facts
    assert not JUDGE.decide(examination, CLEAN, _past()).awaits_facts
    alone_ = JUDGE.examine(_listing(GOODS), NOW)
    assert ask_of(alone_, needs_of(JUDGE.policy, alone_)) is None
    assert not JUDGE.decide(alone_, None).awaits_facts


def _policy(when: str, guard: str = "in_force and not authorised") -> Policy:
    rule = f"{{name: r-1, when: {when}, outcome: remove, ground: g, reason: r}}"
    return compile_policy(f"policy: p\nguard: {guard}\nrules:\n  - {rule}\n".encode(), "p.yaml")


def test_a_policy_of_ones_own_may_ask_for_more_and_need_not_ask_at_all() -> None:
    strict = Judge(JUDGE.registry, _policy("relisted and replica_words"))
    assert _judge(_listing(GOODS), _past(_again()), strict).verdict.outcome == "allow"
    words = _listing(f"{GOODS} replica")
    assert _judge(words, _past(_again()), strict).verdict.outcome == "remove"
    assert unnamed_needs(_policy("relisted and seller_standing > 0.4")) == {
        "relisted", "linked_relisted", "seller_standing",
    }  # fmt: skip
    for policy in (
        _policy("mark and relisted"),
        _policy("relisted", "mark and in_force"),
        _policy("seller_standing > 0.4"),
    ):
        judge = Judge(JUDGE.registry, policy)
        assert not judge.watches
        assert not judge.examine(_listing(GOODS), NOW, watched=True).watched


def _taken_as_near(rows: Sequence[Listing], depth: int) -> tuple[int, int]:
    """Return how many pairs of other goods of one category there are, and are near-duplicates.

    Categories are those of the first `depth` levels of each marketplace.

    Every row may be the one that was removed: the brands that occur are marks. What differs in
    numbers only (the size, the pieces of a pack) is the same goods; so is what has the same words.
    """
    judge = Judge(compile_registry(occurring(rows), "1"), default_policy())
    by_category: defaultdict[str, list[tuple[frozenset[str], Fingerprint]]] = defaultdict(list)
    for row in rows:
        found = fingerprint_of(judge.examine(row, NOW, watched=True))
        if found is not None:
            words = frozenset(re.findall(r"[^\W\d_]{2,}", row.title.casefold()))
            source = row.listing_id.partition(":")[0]
            of = msgspec.structs.replace(found, images=(), gtins=())
            by_category[" > ".join((source, *row.category_path[:depth]))].append((words, of))
    pairs = near = 0
    for rows_of in by_category.values():
        for (words, one), (others, other) in itertools.combinations(rows_of, 2):
            if words != others:
                pairs += 1
                near += alone(alike(one, other))
    return pairs, near


def test_other_goods_of_a_watched_seller_are_left_alone() -> None:
    """Invented ones, few of a category: all of the sample is taken for one."""
    pairs, near = _taken_as_near(sample_rows(), 0)
    assert pairs > 10_000
    assert near <= pairs / 1_000


def test_other_real_goods_of_a_watched_seller_are_left_alone() -> None:
    folder = os.environ.get("ASSAYER_SHARED_DATA")
    if not folder:
        pytest.skip("ASSAYER_SHARED_DATA does not name the folder of the marketplace samples")
    pairs, near = _taken_as_near(real_rows(Path(folder)), 1)
    assert pairs > 40_000
    assert near <= pairs / 1_000


def test_the_statement_does_not_say_that_the_mark_is_used() -> None:
    examination = JUDGE.examine(_listing(GOODS), NOW, watched=True)
    judgement = JUDGE.decide(examination, CLEAN, _past(_again()))
    facts = statement_of_reasons(decision_of(examination, judgement, 0, NOW)).facts
    assert facts.startswith("The listing is nearly the same as one of the seller's that was taken")
    assert "Right relied on: Zorvex." in facts
    assert "uses" not in facts
