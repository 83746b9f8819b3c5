"""A registry in two layers says what one that is made anew of the same rights says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.gtin import rights_of
from agents.monitoring.compiled_marks import CompiledMarks, rows_of
from agents.monitoring.judge import Judge
from agents.monitoring.layered_registry import Layer
from agents.monitoring.marks import Found
from agents.monitoring.policies import default_policy
from agents.monitoring.registry import Registry, compile_registry
from agents.monitoring.registry_maker import RegistryMaker
from agents.records import Listing, Right
from streams.texts import Texts
from tests.benchmarks import catalogue
from tests.unit.monitoring.texts import titles

WRITTEN = (
    "Zorvex", "ZORVEX", "Z0rvex", "Zor-vex", "Zor vex", "Nestlé", "Nestle", "Zorvex Diver", "H&M",
    "Gucci", "Diver", "佐维克斯", "M", "",
)  # fmt: skip
PICTURES = ("f" * 64, "0" * 64, "0f" * 32)
RIGHTS = st.builds(
    Right,
    st.sampled_from([f"tm-{number}" for number in range(12)]),
    st.just("Owner"),
    mark=st.sampled_from(WRITTEN),
    aliases=st.lists(st.sampled_from(WRITTEN), max_size=2).map(tuple),
    reference_price_minor=st.sampled_from([None, 20_000]),
    reference_currency=st.just("USD"),
    gtin_prefixes=st.lists(st.sampled_from(["40123", "401234", "0360"]), max_size=2).map(tuple),
    image_hashes=st.lists(st.sampled_from(PICTURES), max_size=2).map(tuple),
)
REGISTRIES = st.lists(RIGHTS, max_size=10).map(lambda rights: {r.right_id: r for r in rights})
CHANGES = st.lists(
    st.one_of(RIGHTS, st.sampled_from([f"tm-{number}" for number in range(12)])), max_size=10
)
TEXTS = (
    "Zorvex diver, AAA replica", "zor vex watch", "Z0rvex", "Nestlé and nestle", "Zorvex Diver",
    "Z*rvex", "佐维克斯", "Gu((i H & M bag", "H&M", "N3stle M", "honest shoes",
)  # fmt: skip
NOW = 1_764_000_000_000
NUMBERS = ("4012345678901", "4012300000003", "036000291452")


def changed(
    rights: Mapping[str, Right], changes: list[Right | str]
) -> tuple[dict[str, Right], dict[str, Right | None]]:
    after, by_id = dict(rights), dict[str, Right | None]()
    for change in changes:
        if isinstance(change, Right):
            after[change.right_id] = by_id[change.right_id] = change
        else:
            after.pop(change, None)
            by_id[change] = None
    return after, by_id


def layer_of(rights: Mapping[str, Right]) -> Layer:
    ordered = [rights[right_id] for right_id in sorted(rights)]
    layer, changes = Layer.of(CompiledMarks.of(rows_of(ordered)), rights)
    assert not changes
    return layer


def assert_same(one: Registry, other: Registry) -> None:
    assert list(one.rights) == list(other.rights)
    assert [one.rights[number] for number in range(len(one.rights))] == list(other.rights)
    assert dict(one.positions) == dict(other.positions)
    assert dict(one.gtin_prefixes) == dict(other.gtin_prefixes)
    for number in NUMBERS:
        assert rights_of(number, one.gtin_prefixes) == rights_of(number, other.gtin_prefixes)
    hashes = [picture.encode() for picture in PICTURES]
    assert (one.images.near(hashes) if one.images else {}) == (
        other.images.near(hashes) if other.images else {}
    )


def told(registry: Registry, found: Found) -> list[object]:
    return [
        (
            mark.start, mark.end, mark.folds, mark.strength,
            registry.matcher.marks[mark.mark], registry.rights_of_mark[mark.mark],
        )
        for mark in found.marks
    ]  # fmt: skip


def assert_judge_alike(one: Registry, other: Registry, texts: list[str]) -> None:
    judges = [Judge(registry, default_policy()) for registry in (one, other)]
    fields = [{"title": text} for text in texts]
    for found, wanted in zip(
        one.matcher.find_all(fields), other.matcher.find_all(fields), strict=True
    ):
        assert told(one, found) == told(other, wanted)
        assert found.words == wanted.words
    batch = Texts.of([[text.encode()] for text in texts])
    assert judges[0].screen(batch).keys() == judges[1].screen(batch).keys()
    for number, text in enumerate(texts):
        listing = Listing(f"l-{number}", "s-1", NOW, text, price_minor=1_000, currency="USD")
        verdicts = [judge.judge(listing, None, NOW).verdict for judge in judges]
        assert verdicts[0] == verdicts[1]


@settings(max_examples=150, deadline=None)
@given(REGISTRIES, CHANGES, st.lists(titles(WRITTEN[:5]), max_size=3))
def test_rights_that_come_change_and_go_are_as_if_compiled_with_the_others(
    rights: dict[str, Right], changes: list[Right | str], texts: list[str]
) -> None:
    after, by_id = changed(rights, changes)
    registry, anew = (
        layer_of(rights).with_changes(by_id, "2"),
        compile_registry(after.values(), "2"),
    )
    assert_same(registry, anew)
    assert_judge_alike(registry, anew, [*TEXTS, *texts])


@settings(max_examples=100, deadline=None)
@given(REGISTRIES, CHANGES, CHANGES)
def test_what_was_compiled_of_other_rights_serves_for_those_that_are_the_same(
    rights: dict[str, Right], changes: list[Right | str], later: list[Right | str]
) -> None:
    now, _ = changed(rights, changes)
    ordered = [rights[right_id] for right_id in sorted(rights)]
    layer, before = Layer.of(CompiledMarks.of(rows_of(ordered)), now)
    after, more = changed(now, later)
    assert_same(layer.with_changes(before | more, "2"), compile_registry(after.values(), "2"))


def test_compiled_marks_are_kept_and_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    rows = rows_of([Right("tm-1", "Owner", mark="Zorvex"), Right("tm-2", "Owner", mark="Gucci")])
    assert not list(CompiledMarks.kept())
    first = CompiledMarks.compiled(rows, 1)
    (path,) = tmp_path.rglob("marks-*.flat")
    written = path.stat().st_ino
    assert list(CompiledMarks.compiled(rows, 1).index.marks) == list(first.index.marks)
    assert path.stat().st_ino == written
    (kept,) = CompiledMarks.kept()
    assert list(kept.rows) == list(rows)


@pytest.mark.parametrize(
    "harm",
    [
        lambda content: content[:-1],
        lambda content: content[:70] + b"x" + content[71:],
        lambda _: b"",
    ],
)
def test_compiled_marks_that_were_harmed_are_compiled_anew(
    harm: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    rows = rows_of([Right("tm-1", "Owner", mark="Zorvex")])
    CompiledMarks.compiled(rows, 1)
    (path,) = tmp_path.rglob("marks-*.flat")
    content = path.read_bytes()
    path.write_bytes(harm(content))
    assert not list(CompiledMarks.kept())
    assert list(CompiledMarks.compiled(rows, 1).index.marks) == ["Zorvex"]
    assert path.read_bytes() == content


def test_a_maker_lays_changes_over_many_rights_and_compiles_them_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    rights = {right.right_id: right for right in catalogue.rights(60)}
    maker = RegistryMaker(many=50, most_changes=5)
    maker.make(rights, rights.keys(), "0")
    for number in range(12):
        mark = f"Quandrel{number}"
        come, gone = Right(f"new-{number:02}", "Owner", mark=mark), f"tm-{number}"
        rights[come.right_id] = come
        del rights[gone]
        registry = maker.make(rights, {come.right_id, gone}, str(number + 1))
        assert_same(registry, compile_registry(rights.values(), str(number + 1)))
        assert registry.matcher.find({"title": mark})
        if number == 6:
            maker.wait()
    assert len(list(tmp_path.rglob("marks-*.flat"))) >= 2


def test_a_maker_starts_with_marks_that_are_nearly_those_of_its_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    rights = {right.right_id: right for right in catalogue.rights(100)}
    RegistryMaker(many=50).make(rights, rights.keys(), "0")
    rights["new"] = Right("new", "Owner", mark="Quandrel")
    registry = RegistryMaker(many=50).make(rights, rights.keys(), "1")
    assert_same(registry, compile_registry(rights.values(), "1"))
    assert registry.matcher.find({"title": "quandrel"})
    assert len(list(tmp_path.rglob("marks-*.flat"))) == 1
