"""What is told of a policy that is refused or doubtful, held to golden files.

`refused/*.txt` and `warned/*.txt` have what `assayer policy check` says of the file of that name.
Write them anew with `python -m tests.unit.monitoring.policies.test_diagnostics`, and read them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.monitoring.policies import PolicyError, check_policy, compile_policy, default_policy
from agents.monitoring.policies.declarations import MAX_RULES
from agents.monitoring.policies.document import MAX_BYTES
from agents.monitoring.policies.problems import MAX_SHOWN

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*/*.yaml"))


def told(path: Path) -> str:
    checked = check_policy(path.read_bytes(), path.name)
    assert (checked.policy is None) == (path.parent.name == "refused")
    return "\n\n".join(problem.shown() for problem in checked.problems) + "\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_told_of_a_policy(path: Path) -> None:
    assert told(path) == path.with_suffix(".txt").read_text(encoding="utf-8")


def test_the_default_policy_has_no_problem() -> None:
    path = Path(__file__).parents[4] / "agents/monitoring/policies/default.yaml"
    checked = check_policy(path.read_bytes(), path.name)
    assert checked.problems == ()
    assert checked.policy is not None
    assert checked.policy.version == default_policy().version


def test_the_error_names_the_first_problem_and_counts_the_others() -> None:
    path = FOLDER / "refused/names.yaml"
    with pytest.raises(PolicyError) as caught:
        compile_policy(path.read_bytes(), "mine.yaml")
    assert str(caught.value) == (
        "mine.yaml:2:17 guard: unknown name 'inforce' (did you mean 'in_force'?); "
        "14 more problems are told by: assayer policy check mine.yaml"
    )


def rule(condition: str, name: str = "r-1") -> str:
    return f"  - {{name: {name}, when: '{condition}', outcome: review, ground: g, reason: r}}\n"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "an empty file"),
        (b"\xff\xfe", "not UTF-8 text: byte 0 can't be read"),
        (b"a" * (MAX_BYTES + 1), "more than 262,144 bytes, and a policy may have no more"),
        (b"rules: []", "expected a list of at least one rule"),
        (b"- 1", "expected a mapping"),
        (b"policy: p", "no 'rules'"),
        (b"policy: p\n---\npolicy: q", "a second document"),
        (b"policy: !!python/object/apply:os.system [true]", "a tag"),
        (b"a: " + b"[" * 200_000, "nested deeper than 12"),
        (b"rules: [" + b"a," * 60_000 + b"]", "more than 50,000 keys and values"),
        (
            ("rules:\n" + "".join(rule("mark", f"r-{n}") for n in range(MAX_RULES + 1))).encode(),
            "201, and a policy may have 200 at most",
        ),
        (
            ("rules:\n" + "".join(rule(" or ".join(f"price_ratio < {n}.{i}" for i in range(80)),
                                        f"r-{n}") for n in range(20))).encode(),
            ("too costly: 4,820 steps with definitions written out, and a policy may have 4,000 "
             "at most"),
        ),
        (("rules:\n" + rule("mark and " * 25_000 + "mark")).encode(),
         "225,004 characters, and a condition may have 2,000 at most"),
    ],
    ids=map(str, range(13)),
)  # fmt: skip
def test_bounds(content: bytes, text: str) -> None:
    checked = check_policy(content, "p.yaml")
    assert checked.policy is None
    assert text in [problem.text for problem in checked.problems]


def many_warnings() -> str:
    """Return a policy of which nothing is wrong, and in which far too much never matters."""
    parts = [f"(price_ratio < 0.{n:02} and price_ratio > 0.{n + 30})" for n in range(10, 30)]
    never = " or ".join(["image_known", *parts])
    return "rules:\n" + "".join(rule(f"({never}) and used", f"r-{n}") for n in range(9))


def test_warnings_without_an_end_refuse_nothing() -> None:
    checked = check_policy(many_warnings().encode(), "p.yaml")
    assert checked.policy is not None
    assert len(checked.problems) == MAX_SHOWN
    assert {problem.severity for problem in checked.problems} == {"warning"}
    assert len(compile_policy(many_warnings().encode(), "p.yaml").rules) == 9


def test_an_error_behind_warnings_without_an_end_is_told() -> None:
    last = rule("price_ratio < 0.1 and price_ratio > 0.2", "never")
    with pytest.raises(PolicyError, match="rule 'never': it can never fire"):
        compile_policy((many_warnings() + last).encode(), "p.yaml")


def main() -> None:
    for path in FILES:
        path.with_suffix(".txt").write_text(told(path), encoding="utf-8")


if __name__ == "__main__":
    main()
