/* Finds the letters of marks in the letters of texts. patterns.py says what for, and builds this.

   A mark stands between the edges of words. So only what lies between two of them is looked up:
   first its beginning in a filter of bits, then all of it in a hash table. What a text costs does
   not depend on how many marks there are, as long as the filter lies in the processor's caches. */

#ifndef ASSAYER_PATTERNS_H
#define ASSAYER_PATTERNS_H

#include <stdint.h>
#include <string.h>

enum { PATTERN_BEGINS = 0x20, PATTERN_BEYOND = 0x80, PATTERN_SHORT = 3, PATTERN_HEAD = 6 };
enum { APART = 1, SIGNED = 2 };

typedef struct {
    const uint8_t *letters;  /* of all patterns, one after the other */
    const uint32_t *starts;  /* where each begins; one more for the end */
    const uint8_t *lengths;  /* for each number of letters, up to the most, whether one has so many */
    const uint8_t *signed_;  /* for each whether a sign has to stand behind it */
    const uint64_t *small;   /* bits at the hashes of patterns no longer than a head: these are few,
                                and looked for at each word */
    const uint64_t *filter;  /* the same of longer ones */
    const uint64_t *heads;   /* bits at the hashes of what those begin with that are longer */
    const uint32_t *slots;   /* at hashes of patterns the number of one and 1; 0 for none */
    int64_t count, small_mask, filter_mask, head_mask, slot_mask, longest;
    uint64_t below_64;       /* bit n: whether a pattern has n letters, for those below 64 */
} Patterns;

/* The letters of a text. */
typedef struct {
    const uint8_t *letters;
    const uint8_t *apart;    /* bit APART: it begins a word; SIGNED: a sign stands behind it */
    uint64_t *opens;         /* bits: where a word may begin, or end before; see `mark_openings` */
    int64_t length;
} Written;

static const uint64_t HASH_START = 0x9E3779B97F4A7C15u, HASH_BY = 0xD6E8FEB86659FD93u;
static const uint64_t HEAD_START = 0xC2B2AE3D27D4EB4Fu;

static inline uint64_t hash_on(uint64_t hash, uint64_t eight) {
    hash = (hash ^ eight) * HASH_BY;
    return hash ^ hash >> 32;
}

/* The first `count` of eight bytes, as a number. */
static inline uint64_t first_of(uint64_t eight, int64_t count) {
    return count >= 8 ? eight : eight & ((UINT64_C(1) << 8 * count) - 1);
}

static inline uint64_t eight_at(const uint8_t *letters, int64_t at, int64_t length) {
    uint64_t eight = 0;
    if (at + 8 <= length) memcpy(&eight, letters + at, 8);
    else if (at < length) memcpy(&eight, letters + at, (size_t)(length - at));
    return eight;
}

/* The bit of a head among `heads`. */
static inline uint64_t head_bit(const Patterns *patterns, uint64_t eight) {
    return hash_on(HEAD_START, first_of(eight, PATTERN_HEAD)) >> 8 & (uint64_t)patterns->head_mask;
}

static inline int has_bit(const uint64_t *bits, int64_t mask, uint64_t hash) {
    uint64_t bit = hash >> 8 & (uint64_t)mask;
    return bits[bit >> 6] >> (bit & 63) & 1;
}

static inline uint64_t hash_of(const uint8_t *letters, int64_t length) {
    uint64_t hash = HASH_START;
    for (int64_t at = 0; at < length; at += 8) hash = hash_on(hash, eight_at(letters, at, length));
    return hash_on(hash, (uint64_t)length);
}

/* The number of the pattern with these letters, -1 for none. */
static inline int64_t pattern_of(const Patterns *patterns, uint64_t hash, const uint8_t *letters,
                                 int64_t length) {
    for (uint64_t slot = hash >> 20 & (uint64_t)patterns->slot_mask; patterns->slots[slot];
         slot = (slot + 1) & (uint64_t)patterns->slot_mask) {
        int64_t number = (int64_t)patterns->slots[slot] - 1;
        uint32_t start = patterns->starts[number];
        if (patterns->starts[number + 1] - start == (uint64_t)length &&
            !memcmp(patterns->letters + start, letters, (size_t)length))
            return number;
    }
    return -1;
}

/* Fill in `opens`, one bit more than letters and two words of none behind. That a letter of a script
   beyond Latin stands on either side is enough. */
static void mark_openings(const Written *text) {
    int64_t words = text->length / 64 + 3;
    uint8_t before = 0;
    for (int64_t word = 0; word < words; word++) {
        int64_t at = word << 6, end = at + 64 < text->length ? at + 64 : text->length;
        uint64_t opens = 0; /* in a register: a store a letter would be waited for by the next */
        for (uint64_t bit = 1; at < end; at++, bit <<= 1) {
            uint8_t letter = text->letters[at];
            uint64_t beyond = (letter | before) >= PATTERN_BEYOND;
            opens |= bit & -((text->apart[at] & APART) | beyond);
            before = letter;
        }
        text->opens[word] = opens;
    }
    text->opens[text->length >> 6] |= UINT64_C(1) << (text->length & 63);
}

/* The openings from a letter on: bit n is the one n letters further. */
static inline uint64_t openings_from(const Written *text, int64_t at) {
    uint64_t low = text->opens[at >> 6] >> (at & 63);
    return at & 63 ? low | text->opens[(at >> 6) + 1] << (64 - (at & 63)) : low;
}

typedef struct {
    int64_t *numbers, *firsts;  /* the pattern, and where it begins */
    int64_t count, room;
} Hits;

static inline void add_hit(Hits *hits, int64_t number, int64_t first) {
    if (hits->count < hits->room) {
        hits->numbers[hits->count] = number;
        hits->firsts[hits->count] = first;
    }
    hits->count++;
}

static inline void look_up(const Patterns *patterns, const Written *text, uint64_t hash,
                           const uint8_t *looked_for, int64_t first, int64_t behind, Hits *hits) {
    if (behind - first <= PATTERN_HEAD ? !has_bit(patterns->small, patterns->small_mask, hash)
                                       : !has_bit(patterns->filter, patterns->filter_mask, hash))
        return;
    int64_t number = pattern_of(patterns, hash, looked_for, behind - first);
    if (number >= 0 && (!patterns->signed_[number] || text->apart[behind - 1] & SIGNED))
        add_hit(hits, number, first);
}

/* Short patterns have BEGINS turned over where a letter begins a word, and end where one does; a
   letter of a script beyond Latin stands for an edge too: '正品UGG'. Those with such letters are as
   any other. */
static inline void find_short(const Patterns *patterns, const Written *text, int64_t first,
                              int64_t behind, Hits *hits) {
    uint8_t begun[PATTERN_SHORT];
    int beyond = 0;
    for (int64_t at = first; at < behind; at++) {
        int begins = text->apart[at] & APART || (at && text->letters[at - 1] >= PATTERN_BEYOND);
        beyond |= text->letters[at] >= PATTERN_BEYOND;
        begun[at - first] = (uint8_t)(text->letters[at] ^ (begins ? PATTERN_BEGINS : 0));
    }
    if (!beyond && behind < text->length && !(text->apart[behind] & APART) &&
        text->letters[behind] < PATTERN_BEYOND)
        return;
    const uint8_t *looked_for = beyond ? text->letters + first : begun;
    look_up(patterns, text, hash_of(looked_for, behind - first), looked_for, first, behind, hits);
}

/* Long patterns, of more letters than fit in a word of openings. */
static void find_longest(const Patterns *patterns, const Written *text, int64_t first,
                         Hits *hits) {
    const uint8_t *letters = text->letters + first;
    int64_t last = text->length - first < patterns->longest ? text->length - first
                                                            : patterns->longest;
    uint64_t hash = HASH_START;
    int64_t hashed = 0;
    for (int64_t count = 64; count <= last; count++) {
        int64_t behind = first + count;
        if (!patterns->lengths[count] || !(text->opens[behind >> 6] >> (behind & 63) & 1)) continue;
        for (; hashed + 8 < count; hashed += 8)
            hash = hash_on(hash, eight_at(text->letters, first + hashed, text->length));
        uint64_t rest = first_of(eight_at(text->letters, first + hashed, text->length),
                                 count - hashed);
        look_up(patterns, text, hash_on(hash_on(hash, rest), (uint64_t)count), letters, first,
                behind, hits);
    }
}

/* Where a pattern may begin. */
typedef struct {
    int64_t first;
    uint64_t ends;   /* a bit for each number of letters it may have */
    uint64_t eight;  /* its first letters */
    uint64_t head;   /* their bit among the heads */
} Opening;

/* Find what begins at a letter. */
static inline void find_at(const Patterns *patterns, const Written *text, const Opening *opening,
                           Hits *hits) {
    uint64_t eight = opening->eight, ends = opening->ends, hash = HASH_START;
    int64_t first = opening->first, hashed = 0;
    int in_head = 1;
    for (; ends; ends &= ends - 1) {
        int64_t count = __builtin_ctzll(ends);
        if (count <= PATTERN_SHORT) {
            find_short(patterns, text, first, first + count, hits);
            continue;
        }
        if (count > PATTERN_HEAD && in_head) {
            if (!(patterns->heads[opening->head >> 6] >> (opening->head & 63) & 1)) return;
            in_head = 0;
        }
        for (; hashed + 8 < count; hashed += 8) {
            hash = hash_on(hash, eight);
            eight = eight_at(text->letters, first + hashed + 8, text->length);
        }
        uint64_t whole = hash_on(hash_on(hash, first_of(eight, count - hashed)), (uint64_t)count);
        look_up(patterns, text, whole, text->letters + first, first, first + count, hits);
    }
    if (patterns->longest >= 64) find_longest(patterns, text, first, hits);
}

enum { AHEAD = 16 };

/* Find the patterns in a text, ascending by where they begin and end.

   All are counted, but no more than there is room for are written; with none the first is enough.
   Openings are looked at when those AHEAD of them are known, and the memory of their heads is on its
   way: under a million marks it is in no near cache. */
static void find_patterns(const Patterns *patterns, const Written *text, Hits *hits) {
    Opening openings[AHEAD];
    int64_t noted = 0, looked_at = 0;
    for (int64_t word = 0; word <= text->length >> 6; word++) {
        for (uint64_t opens = text->opens[word]; opens; opens &= opens - 1) {
            int64_t first = (word << 6) + __builtin_ctzll(opens);
            if (first == text->length) break;
            uint64_t ends = openings_from(text, first) & patterns->below_64;
            if (!ends && patterns->longest < 64) continue;
            if (noted - looked_at == AHEAD)
                find_at(patterns, text, &openings[looked_at++ % AHEAD], hits);
            Opening *opening = &openings[noted++ % AHEAD];
            opening->first = first, opening->ends = ends;
            opening->eight = eight_at(text->letters, first, text->length);
            opening->head = head_bit(patterns, opening->eight);
            __builtin_prefetch(&patterns->heads[opening->head >> 6]);
            if (!hits->room && hits->count) return;
        }
    }
    while (looked_at < noted) find_at(patterns, text, &openings[looked_at++ % AHEAD], hits);
}

#endif
