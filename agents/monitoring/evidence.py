"""What was found, in words and in the original text's own spans."""

from __future__ import annotations

from agents.monitoring.examination import RightMatch
from agents.monitoring.goods import money
from agents.records import DAY_MS, Evidence, Listing
from agents.reputation import SellerFacts

MAX_SPANS = 5
"""Spans of one mark that a verdict shows; a stuffed description repeats it a hundred times."""
MAX_TEXT = 200

FOLD_NAMES = {
    "accent": "marks over or under letters",
    "backwards": "letters turned round",
    "censored": "a letter struck out",
    "combining": "stray marks over letters",
    "compatibility": "letters in another guise",
    "confusable": "letters of other alphabets",
    "digit": "digits for letters",
    "doubled": "doubled letters",
    "drawing": "letters drawn with signs",
    "look_alike": "letters that look like others",
    "markup": "codes within the word",
    "sequence": "letters that together look like another",
    "spaced": "letters set apart",
    "symbol": "symbols for letters",
    "zero_width": "characters that take no room",
}


def evidence_of(match: RightMatch, listing: Listing) -> list[Evidence]:
    """Return everything that counted for or against the listing under one right."""
    right, facts = match.right, match.facts
    name = right.mark or (right.aliases[0] if right.aliases else "")
    evidence = []
    for found in match.marks[:MAX_SPANS]:
        if found.hidden:
            guises = " and ".join(FOLD_NAMES.get(fold, fold) for fold in found.folds)
            note = f"Reads '{name}' once {guises or 'disguises'} are undone."
        else:
            note = f"Names the mark '{name}'."
        evidence.append(
            Evidence(
                "mark",
                found.field,
                found.start,
                found.end,
                found.text[:MAX_TEXT],
                right.right_id,
                found.folds,
                note,
            )
        )
    for word in match.words[:MAX_SPANS]:
        note = (
            "Calls the goods copies."
            if word.signal == "replica_words"
            else "Calls the goods an imitation."
        )
        evidence.append(
            Evidence(
                word.signal,
                word.field,
                word.start,
                word.end,
                word.text[:MAX_TEXT],
                right.right_id,
                word.folds,
                note,
            )
        )
    evidence += [
        Evidence(
            "image_known",
            f"images[{image.index}].pdq",
            0,
            len(image.pdq),
            image.pdq,
            right.right_id,
            note=f"Picture {image.index + 1} is the same as one that {right.owner} has registered "
            f"as showing infringing goods ({image.distance} of 256 bits differ).",
        )
        for image in match.images[:MAX_SPANS]
    ]
    if facts.price_ratio is not None:
        evidence.append(
            Evidence(
                signal="price_ratio",
                field="price_minor",
                right_id=right.right_id,
                note=f"Priced {money(listing.price_minor or 0, listing.currency)}, "
                f"{facts.price_ratio:.2f} of the usual "
                f"{money(right.reference_price_minor or 0, right.reference_currency)}.",
            )
        )
    evidence += match.notes()
    for signal, holds, note in (
        ("nominative", facts.nominative, "The mark names what the goods are for."),
        ("used", facts.used, "The goods are used or refurbished."),
        ("authorised", facts.authorised, "The owner has authorised the seller."),
        (
            "partly_authorised",
            facts.partly_authorised,
            "The owner has authorised the seller in some of the territories it ships to.",
        ),
        (
            "in_force",
            not facts.in_force,
            "The right is not in force now where the listing ships to.",
        ),
    ):
        if holds:
            evidence.append(Evidence(signal=signal, right_id=right.right_id, note=note))
    return evidence


def reason_of(template: str, match: RightMatch) -> str:
    """Return a rule's reason for the match it fired on."""
    ratio = match.facts.price_ratio
    return template.format(
        mark=match.right.mark or (match.right.aliases[0] if match.right.aliases else ""),
        owner=match.right.owner,
        brand=match.right.brand or match.right.mark,
        price_ratio=f"{ratio:.0%}" if ratio is not None else "an unknown share",
        text=match.words[0].text[:MAX_TEXT] if match.words else "",
    )


def unknown_seller(seller: SellerFacts | None) -> Evidence:
    """Return that too little is known of the seller; None where the store did not answer."""
    if seller is None:
        note = (
            "Nothing could be learnt of the seller and its earlier listings: the store did not "
            "answer. Rules that need it abstain; the listing is judged again when it does."
        )
    else:
        note = "Too little is known of the seller; rules that need it abstain."
    return Evidence(signal="seller", note=note)


def seller_evidence(seller: SellerFacts, now: int) -> Evidence:
    """Return what is known of the seller, in words; `now` is UTC milliseconds."""
    parts = []
    if seller.created_at is not None:
        days = max(0, (now - seller.created_at) // DAY_MS)
        parts.append(f"account {days} days old")
    if seller.verified is not None:
        parts.append("verified" if seller.verified else "not verified")
    if seller.standing is not None:
        parts.append(
            f"standing {seller.standing.score:.2f} ({seller.standing.upheld:.1f} upheld, "
            f"{seller.standing.cleared:.1f} cleared cases)"
        )
    return Evidence(signal="seller", note="Seller: " + ", ".join(parts) + ".")
