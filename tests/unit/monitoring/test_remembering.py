"""What is remembered reaches the rules, the evidence and the takedown."""

from __future__ import annotations

import msgspec
import pytest

from agents.history.fingerprints import Alike, alike
from agents.history.recall import Ask, Past, Relisting
from agents.history.removals import Removal
from agents.monitoring.judge import Judge, Judgement
from agents.monitoring.policies import Policy, default_policy
from agents.monitoring.policies.policy import compile_policy
from agents.monitoring.registry import compile_registry
from agents.monitoring.remembering import (
    ask_of,
    evidence_of_past,
    fingerprint_of,
    needs_of,
    sighting_of,
    wants_sightings,
)
from agents.records import AuthorisedSeller, Fingerprint, Image, Listing, Right
from agents.reputation import SellerFacts, Standing

NOW = 1_790_000_000_000
RIGHT = Right("tm-1", "Zorvex Ltd", mark="Zorvex", authorised_sellers=(AuthorisedSeller("s-ok"),))
JUDGE = Judge(compile_registry([RIGHT], "1"), default_policy())
CLEAN = SellerFacts("s", NOW - 10**11, True, Standing())

_REMOVAL = Removal("0b2c-1", "other", 1, NOW - 10**9, Fingerprint(1))
OWN = Relisting(_REMOVAL, Alike(title=0.93))
LINKED = Relisting(_REMOVAL, Alike(gtin="04006381333931", images=2), ("address", "bank"))
NOTHING = Past((), (), 0.0, ())


def _listing(title: str, **values: object) -> Listing:
    plain = {"listing_id": "l", "seller_id": "s", "occurred_at": NOW, "title": title}
    return msgspec.convert(plain | values, Listing)


def _judge(past: Past | None, seller: SellerFacts | None = CLEAN) -> Judgement:
    return JUDGE.decide(JUDGE.examine(_listing("Zorvex watch"), NOW), seller, past)


def _with(**values: object) -> Past:
    plain = {name: getattr(NOTHING, name) for name in Past.__slots__}
    return Past(**(plain | values))


@pytest.mark.parametrize(
    ("past", "rules"),
    [
        (NOTHING, ()),
        (_with(relisted=(OWN,)), ("relisted",)),
        (_with(linked_relisted=(LINKED,)), ("relisted-by-linked-seller",)),
        (_with(burst=99.0, replaced=("brand", "category", "images", "title")), ()),
    ],
    ids=["nothing", "own", "linked", "shadow"],
)
def test_what_is_remembered_leads_to_a_review_at_most(past: Past, rules: tuple[str, ...]) -> None:
    judgement = _judge(past)
    assert judgement.verdict.rules == rules
    assert judgement.verdict.outcome == ("review" if rules else "allow")
    assert not judgement.awaits_facts


def test_new_rules_run_in_shadow() -> None:
    assert set(_judge(_with(burst=99.0, replaced=("brand", "title"))).shadow) == {"bait-and-switch"}
    young = SellerFacts("s", NOW - 10**9, True, Standing())
    assert set(_judge(_with(burst=10.0), young).shadow) == {"branded-burst"}


def test_evidence_says_why_and_names_no_other_seller() -> None:
    notes = [
        e.note for e in _judge(_with(relisted=(OWN,), linked_relisted=(LINKED,))).verdict.evidence
    ]
    assert any("title 93% alike" in note and "takedown 0b2c-1" in note for note in notes)
    linked = next(note for note in notes if "an account that shares" in note)
    assert "same pictures and same GTIN" in linked
    assert "an address and a bank account" in linked
    assert "other" not in linked


def test_without_the_store_the_verdict_says_so_and_waits() -> None:
    away = _judge(None, None)
    assert away.awaits_facts
    assert "judged again" in away.verdict.evidence[-1].note


def test_a_view_being_rebuilt_is_waited_for() -> None:
    waiting = _judge(Past(incomplete=True))
    assert waiting.awaits_facts
    assert "gathered again" in waiting.verdict.evidence[-1].note


def test_without_any_history_rules_abstain_and_nothing_is_waited_for() -> None:
    judgement = _judge(None)
    assert judgement.verdict.outcome == "allow"
    assert not judgement.awaits_facts
    assert judgement.verdict.evidence[-1].signal == "relisted"


@pytest.mark.parametrize(
    ("listing", "asked"),
    [
        (_listing("Zorvex watch"), True),
        (_listing("Zorvex watch", seller_id="s-ok"), False),
        (_listing("Zorvex replica"), False),
        (_listing("Oak table"), False),
        (_listing("Zorvex watch", kind="DELETED"), False),
    ],
    ids=["a mark", "an authorised seller", "removed anyhow", "no mark", "deleted"],
)
def test_the_past_is_asked_only_where_a_rule_could_matter(listing: Listing, asked: bool) -> None:
    examination = JUDGE.examine(listing, NOW)
    assert (ask_of(examination, needs_of(JUDGE.policy, examination)) is not None) is asked


def test_only_what_rules_need_is_asked() -> None:
    rule = "policy: p\nrules:\n  - {name: r-1, when: %s, outcome: review, ground: g, reason: r}\n"

    def policy(condition: str) -> Policy:
        return compile_policy((rule % condition).encode(), "p.yaml")

    def ask(condition: str) -> Ask | None:
        examination = Judge(JUDGE.registry, policy(condition)).examine(listing, NOW)
        return ask_of(examination, needs_of(policy(condition), examination))

    listing = _listing("Zorvex watch", revision=2)
    assert ask("mark_hidden") is None
    assert ask("mark_hidden and relisted") is None
    assert ask("mark_plain or relisted") is None
    pace = ask("branded_burst > 3")
    assert pace is not None
    assert (pace.pace, pace.removals, pace.before) == (True, False, False)
    update = ask("replaced_parts > 1")
    assert update is not None
    assert update.before
    assert not wants_sightings(policy("relisted"))
    assert wants_sightings(policy("replaced_parts > 1"))
    assert wants_sightings(policy("mark_hidden and branded_burst > 3"))


def test_words_of_copying_are_left_out_of_the_fingerprint() -> None:
    """Who lists again drops just those, and undoes or adds disguises."""
    goods = "Zorvex Diver 300 automatic men watch blue dial"
    plain = fingerprint_of(JUDGE.examine(_listing(goods), NOW))
    copy = fingerprint_of(JUDGE.examine(_listing(f"Replica 1:1 {goods}"), NOW))
    hidden = fingerprint_of(JUDGE.examine(_listing(goods.replace("Zorvex", "Zor\u200bvex")), NOW))
    assert plain
    assert copy
    assert hidden
    assert alike(plain, copy).title > 0.95
    assert plain == hidden
    short = fingerprint_of(JUDGE.examine(_listing("Zorvex replica"), NOW))
    assert short
    assert short.title


def test_official_pictures_recognise_nothing() -> None:
    official = f"{2**255 - 19:064x}"
    hashes = ("no hash", official)  # whoever writes to the topic need not check what he writes
    right = Right("tm-1", "Zorvex Ltd", mark="Zorvex", official_image_hashes=hashes)
    judge = Judge(compile_registry([right], "1"), default_policy())
    images = (Image("u", official, 90), Image("v", "ab" * 32, 90))
    listing = msgspec.structs.replace(_listing("Zorvex"), images=images)
    found = fingerprint_of(judge.examine(listing, NOW))
    assert found
    assert found.images == ("ab" * 32,)


@pytest.mark.parametrize(
    ("values", "counted"),
    [
        ({"title": "Zorvex watch"}, True),
        ({"title": "Zorvex watch", "revision": 2}, False),
        ({"title": "Zorvex watch", "revision": 2, "kind": "CREATED"}, True),
        ({"title": "Strap for Zorvex"}, False),
        ({"title": "Zorvex watch", "seller_id": "s-ok"}, False),
    ],
)
def test_new_branded_goods_are_counted(values: dict[str, object], counted: bool) -> None:
    examination = JUDGE.examine(_listing(**values), NOW)  # type: ignore[arg-type]
    assert sighting_of(examination).new_branded is counted


def test_nothing_remembered_is_no_evidence() -> None:
    assert evidence_of_past(NOTHING) == evidence_of_past(None) == []
