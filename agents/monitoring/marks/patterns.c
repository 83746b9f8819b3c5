/* What patterns.py calls: the table that patterns.h looks things up in, and the search itself. */

#include "patterns.h"

static void set_bit(const uint64_t *bits, uint64_t bit) {
    ((uint64_t *)bits)[bit >> 6] |= UINT64_C(1) << (bit & 63);
}

/* Add those of some letters that are not there yet, and write for each which pattern it is.

   `given` are the letters, those of number n from `given_at[n]` on. What is `const` to a search is
   filled in here: there has to be room for all. */
void assayer_patterns_add(Patterns *patterns, const uint8_t *given, const uint32_t *given_at,
                          int64_t from, int64_t to, uint32_t *numbers) {
    uint8_t *letters = (uint8_t *)patterns->letters;
    uint32_t *starts = (uint32_t *)patterns->starts, *slots = (uint32_t *)patterns->slots;
    for (int64_t at = from; at < to; at++) {
        const uint8_t *pattern = given + given_at[at];
        int64_t length = given_at[at + 1] - given_at[at];
        uint64_t hash = hash_of(pattern, length);
        int64_t number = pattern_of(patterns, hash, pattern, length);
        if (number < 0) {
            number = patterns->count++;
            memcpy(letters + starts[number], pattern, (size_t)length);
            starts[number + 1] = starts[number] + (uint32_t)length;
            if (length <= PATTERN_HEAD)
                set_bit(patterns->small, hash >> 8 & (uint64_t)patterns->small_mask);
            else {
                set_bit(patterns->filter, hash >> 8 & (uint64_t)patterns->filter_mask);
                set_bit(patterns->heads, head_bit(patterns, eight_at(pattern, 0, length)));
            }
            uint64_t slot = hash >> 20 & (uint64_t)patterns->slot_mask;
            while (slots[slot]) slot = (slot + 1) & (uint64_t)patterns->slot_mask;
            slots[slot] = (uint32_t)number + 1;
        }
        numbers[at] = (uint32_t)number;
    }
}

/* Find patterns in letters; return how many there are, of which those there is room for are told.

   `opens` is room for a bit a letter, and three words more. */
int64_t assayer_patterns_find(const Patterns *patterns, const uint8_t *letters,
                              const uint8_t *apart, uint64_t *opens, int64_t length,
                              int64_t *numbers, int64_t *firsts, int64_t room) {
    Written text = {.letters = letters, .apart = apart, .opens = opens, .length = length};
    Hits hits = {.numbers = numbers, .firsts = firsts, .room = room};
    mark_openings(&text);
    find_patterns(patterns, &text, &hits);
    return hits.count;
}
