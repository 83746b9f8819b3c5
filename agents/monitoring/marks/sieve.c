/* The inner loop of sieve.py, which says what it is for and what stands in the arguments.

   One pass over the UTF-8 bytes of a batch's texts. What numpy can only do in forty passes over
   arrays of code points is a walk along the characters here, a few nanoseconds each. Everything is
   bounded by the lengths given: a text has no more letters than bytes, and SPARE. */

#include "patterns.h"

enum { INVISIBLE = 1, SOFT = 2, ALPHABETIC = 8, SEVERAL = 16, SPELLED = 32, DRAWS = 64,
       STRIKES = 128 };                       /* characters.py */
enum { STRIKING = 1, DRAWN = 2, OPENS = 4 };  /* struck.py */
enum { MARK = 1, BEARS_NONE = 2, STRAY = 0x353 };  /* characters.py */
enum { READ = 1, UNREADABLE = 2, LISTED = 3 };            /* what `status` says of a listing */
enum { DOUBLED = 1, SPREAD_OUT = 2 };         /* what `set_apart` says of letters */
enum { BOUNDARY = 1, SPREAD = 4, FEW = 20, NEAR = 5, SPARE = 64 };
enum { KEYCAP = 0x20E3, OVERRIDE = 0x202E, NONCHARACTER = 0xFFFF, LATIN_END = 0x250,
       KANA = 0x3040, KANA_END = 0xFF9F, LATIN_1 = 0x100, LAST_SIGN = 0xFFFF };

typedef struct {
    const uint16_t *classes;      /* of each code point by its first reading, symbols included */
    const uint8_t *flags;         /* of each code point */
    const uint32_t *spelled;      /* code points that read as several letters, ascending */
    const uint32_t *spelled_at;   /* where what each reads as begins in `letters`; one more */
    const uint32_t *spelled_letters;
    int64_t spelled_count;
    const int64_t *pairs;         /* what markup and drawn letters begin with, ascending */
    int64_t pair_count;
    const uint32_t *drawings;     /* what markup begins with, and drawn letters */
    const uint32_t *drawings_at;  /* where each begins in `drawings`; one more */
    int64_t drawing_count;
    const uint32_t *halves;       /* letters that are drawn with another letter */
    const uint32_t *halves_at;    /* where each begins in `halves`; one more */
    const uint32_t *anchors;      /* which character of each is its first sign */
    int64_t half_count;
    const uint8_t *signs;         /* of each code point up to LAST_SIGN: STRIKING, DRAWN, OPENS */
    const uint8_t *latin;         /* which code points up to LATIN_1 are letters */
    const uint8_t *strays;        /* of each code point: MARK, BEARS_NONE */
} Tables;

typedef struct {
    const Patterns *patterns;     /* the letters of some marks */
    const uint64_t *contexts;     /* bits at hashes of what stands around a struck letter of them */
    int64_t context_bits;         /* of a hash */
} Marks;

typedef struct {
    uint32_t *codes, *origin;     /* code points of a text, and the character each comes from */
    uint32_t *shown;              /* those that show something */
    uint16_t *classes, *letters;  /* of those, with symbols and without */
    uint8_t *apart;               /* of each letter written APART, SIGNED */
    uint32_t *signs;              /* places of those that may strike out, or draw */
    uint32_t *pairs;              /* which of those shown look like one letter with the next */
    uint8_t *bytes;               /* the letters written: low byte of the class of each */
    uint64_t *opens;              /* room for `mark_openings` */
    uint32_t *character;          /* which character each of those shown is */
    uint32_t *place;              /* which of those shown each letter written begins with */
} Scratch;                        /* each SPARE longer than the longest text */

typedef struct {
    int64_t *text, *place;        /* signs that may stand for a letter of a mark */
    int64_t count, room;
} Struck;

typedef struct {
    int64_t *text, *place;        /* where the letters of a mark, or word, stand */
    int64_t *part, *pattern;      /* which they are */
    int64_t count, room;
} Named;

/* Read a character behind `at`; -1 where there is no well-formed one. */
static int64_t next_code(const uint8_t *data, int64_t *at, int64_t end) {
    uint8_t lead = data[(*at)++];
    if (lead < 0x80) return lead;
    int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || end - *at < more) return -1;
    uint32_t code = lead & (0x3F >> more);
    for (int number = 0; number < more; number++) {
        uint8_t byte = data[(*at)++];
        if ((byte & 0xC0) != 0x80) return -1;
        code = code << 6 | (byte & 0x3F);
    }
    if (more == 2 && (code < 0x800 || (code >= 0xD800 && code < 0xE000))) return -1;
    if (more == 3 && (code < 0x10000 || code > 0x10FFFF)) return -1;
    return code;
}

static int64_t find_spelled(const Tables *tables, uint32_t code) {
    int64_t low = 0, high = tables->spelled_count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (tables->spelled[middle] < code) low = middle + 1; else high = middle;
    }
    return low;
}

/* decoding.py, _drawn: does markup begin here, or a letter drawn with punctuation? */
static int draws(const Tables *tables, const uint32_t *codes, int64_t count) {
    if (count < 2) return 0;
    int64_t wanted = ((int64_t)codes[0] << 21) + codes[1], low = 0, high = tables->pair_count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (tables->pairs[middle] < wanted) low = middle + 1; else high = middle;
    }
    if (low == tables->pair_count || tables->pairs[low] != wanted) return 0;
    for (int64_t number = 0; number < tables->drawing_count; number++) {
        uint32_t start = tables->drawings_at[number], at = start;
        uint32_t end = tables->drawings_at[number + 1];
        while (at < end && at - start < count && tables->drawings[at] == codes[at - start]) at++;
        if (at == end) return 1;
    }
    return 0;
}

/* decoding.py, places_of_half_drawn: is the sign here part of a letter drawn with another? */
static int draws_half(const Tables *tables, const uint32_t *codes, int64_t count, int64_t place) {
    uint32_t before = place ? codes[place - 1] : 0;
    if (codes[place] != '|' && (before >= LATIN_1 || !tables->latin[before])) return 0;
    for (int64_t number = 0; number < tables->half_count; number++) {
        uint32_t start = tables->halves_at[number], size = tables->halves_at[number + 1] - start;
        int64_t first = place - tables->anchors[number];
        if (first < 0 || first + size > count) continue;
        uint32_t at = 0;
        while (at < size && tables->halves[start + at] == codes[first + at]) at++;
        if (at == size) return 1;
    }
    return 0;
}

/* skeleton.py, SEQUENCES: the letter that two look like, 0 for none. */
static inline int pair_of(uint32_t first, uint32_t second) {
    first |= 0x20, second |= 0x20;
    if (second == 'n') return first == 'r' ? 'm' : 0;
    if (second == 'v') return first == 'v' ? 'w' : 0;
    return second == 'l' && first == 'c' ? 'd' : 0;
}

/* What a text consists of. */
typedef struct {
    int64_t codes, shown, signs, pairs;  /* how many there are in Scratch */
    int flags;                           /* all that occur */
    int readable, odd;                   /* odd: it may be read in other ways */
    int spelled;                         /* some character reads as several */
} Text;

static inline void add_code(const Tables *tables, Scratch *scratch, Text *text, uint32_t code,
                            uint32_t character) {
    int flags = tables->flags[code], class = tables->classes[code];
    scratch->codes[text->codes] = code;
    scratch->origin[text->codes] = character;
    scratch->signs[text->signs] = (uint32_t)text->codes++;
    text->signs += (flags & (STRIKES | DRAWS)) != 0;
    text->flags |= flags;
    if (flags & INVISIBLE) return;
    scratch->shown[text->shown] = code;
    scratch->classes[text->shown] = (uint16_t)class;
    scratch->letters[text->shown] = (uint16_t)(flags & SOFT ? 0 : class);
    if (text->shown && pair_of(scratch->shown[text->shown - 1], code))
        scratch->pairs[text->pairs++] = (uint32_t)text->shown - 1;
    text->shown++;
}

/* decoding.py, _stray_marks: is this a mark of another script on a Latin letter? */
static int is_stray(const Tables *tables, const Scratch *scratch, const Text *text, int64_t code) {
    return tables->strays[code] & MARK && text->shown &&
           tables->strays[scratch->shown[text->shown - 1]] & BEARS_NONE;
}

static Text decode(const Tables *tables, const uint8_t *data, int64_t size, Scratch *scratch) {
    Text text = {.readable = 1};
    uint32_t character = 0;
    for (int64_t at = 0; at < size; character++) {
        if (data[at] < 0x80) {
            add_code(tables, scratch, &text, data[at++], character);
            continue;
        }
        int64_t code = next_code(data, &at, size);
        if (code < 0 || code == NONCHARACTER) {
            text.readable = 0;
            return text;
        }
        text.odd |= code == KEYCAP || code == OVERRIDE;
        if (is_stray(tables, scratch, &text, code)) code = STRAY;
        if (!(tables->flags[code] & SPELLED)) {
            add_code(tables, scratch, &text, (uint32_t)code, character);
            continue;
        }
        text.spelled = 1;
        int64_t entry = find_spelled(tables, (uint32_t)code);
        uint32_t letter = tables->spelled_at[entry], last = tables->spelled_at[entry + 1];
        if (text.codes + (last - letter) + (size - at) > size + SPARE) {
            text.odd = 1;
            continue;
        }
        for (; letter < last; letter++)
            add_code(tables, scratch, &text, tables->spelled_letters[letter], character);
    }
    return text;
}

static int flags_at(const Tables *tables, const uint32_t *codes, int64_t count, int64_t place) {
    return place < 0 || place >= count ? 0 : tables->flags[codes[place]];
}

static int sign_at(const Tables *tables, const uint32_t *codes, int64_t count, int64_t place) {
    if (place < 0 || place >= count || codes[place] > LAST_SIGN) return 0;
    return tables->signs[codes[place]];
}

static int is_digit(const uint32_t *codes, int64_t count, int64_t place) {
    return place >= 0 && place < count && codes[place] >= '0' && codes[place] <= '9';
}

/* decoding.py, places_of_several: are characters with two readings beside letters, or few? */
static int reads_in_two_ways(const Tables *tables, const uint32_t *codes, int64_t count) {
    int64_t several = 0, lone = 0;
    for (int64_t place = 0; place < count; place++) {
        if (!(tables->flags[codes[place]] & SEVERAL)) continue;
        several++;
        if (codes[place] < KANA || codes[place] > KANA_END) lone = 1;
        for (int way = -1; way <= 1; way += 2) {
            int flags = flags_at(tables, codes, count, place + way);
            if (!flags) continue;
            uint32_t code = codes[place + way];
            if ((flags & ALPHABETIC) && code < LATIN_END) return 1;
            if ((flags & SEVERAL) && code >= KANA && code <= KANA_END) return 1;
        }
    }
    return lone && several <= FEW;
}

static const uint64_t CONTEXT_BY = 0x9E3779B97F4A7C15u;

/* struck.py, _hashes */
static uint64_t context_of(const Tables *tables, const uint32_t *codes, int64_t count,
                           int64_t place) {
    uint64_t hashed = 0;
    for (int way = -1; way <= 1; way += 2) {
        int within = 1;
        for (int distance = 1; distance <= NEAR; distance++) {
            int64_t near = place + way * distance;
            uint32_t lowered = 0;
            if (near < 0 || near >= count) within = 0;
            else {
                lowered = codes[near] | 0x20;
                within = within && lowered < LATIN_1 && tables->latin[lowered];
            }
            hashed = hashed * 31 + (within ? lowered & 0x3F : 0);
        }
    }
    return hashed * CONTEXT_BY;
}

static int is_context(const Marks *marks, int64_t count, uint64_t hashed) {
    for (int64_t number = 0; number < count; number++) {
        uint64_t bit = hashed >> (64 - marks[number].context_bits);
        if (marks[number].contexts[bit >> 6] >> (bit & 63) & 1) return 1;
    }
    return 0;
}

/* struck.py, places: may the sign here stand for a letter of a mark? */
static int strikes(const Tables *tables, const Marks *marks, int64_t parts, const uint32_t *codes,
                   int64_t count, int64_t place) {
    int before = flags_at(tables, codes, count, place - 1) & ALPHABETIC;
    int behind = flags_at(tables, codes, count, place + 1) & ALPHABETIC;
    int sign = sign_at(tables, codes, count, place);
    int striking = sign & STRIKING;
    if (!((before && behind) || (striking && (before || behind)) || (before && (sign & DRAWN))))
        return 0;
    if (is_context(marks, parts, context_of(tables, codes, count, place))) return 1;
    if (!striking) return 0;
    int both = 1;
    for (int way = -1; way <= 1; way += 2)
        both = both && ((way < 0 ? before : behind) ||
                        (sign_at(tables, codes, count, place + way) & STRIKING) ||
                        is_digit(codes, count, place + way) ||
                        place + way == count); /* the end of all texts is taken for the sign */
    return both || (behind && (sign & OPENS));
}

/* skeleton.py, closed_up: note letters set apart that are doubled, and many such in a row. */
static int set_apart(const uint8_t *bytes, const uint8_t *apart, int64_t length) {
    int doubled = 0, found = 0, row = 0;
    for (int64_t at = 1; at + 1 < length; at++)
        doubled |= (bytes[at] == bytes[at + 1]) & apart[at] & apart[at + 1] & APART;
    if (!doubled) return 0;
    for (int64_t at = 1; at < length; at++) {
        row = apart[at] & APART && (at + 1 == length || apart[at + 1] & APART) ? row + 1 : 0;
        if (row > 1 && bytes[at] == bytes[at - 1]) found |= DOUBLED;
        if (row >= SPREAD) found |= SPREAD_OUT;
    }
    return found;
}

/* skeleton.py, fold: write the letters of a text behind a boundary; return how many.

   With `place` also where each begins: known when this is compiled, so that it costs nothing. */
static inline int64_t write_letters(const Scratch *scratch, const uint16_t *classes,
                                    const Text *text, uint32_t *restrict place) {
    uint8_t *restrict bytes = scratch->bytes, *restrict apart = scratch->apart;
    const int64_t shown = text->shown, pairs = text->pairs;
    int64_t written = 0, at = 0;
    int before = 0; /* class of the character before, 0 where it is no letter */
    bytes[written++] = BOUNDARY;
    for (int64_t number = 0; number <= pairs; number++) {
        int64_t stop = number < pairs ? scratch->pairs[number] : shown;
        for (; at < stop; at++) {
            int class = classes[at];
            int sign = (before != 0) & (scratch->letters[at] != scratch->classes[at]);
            apart[written - 1] |= (uint8_t)(SIGNED * sign);
            bytes[written] = (uint8_t)class;
            apart[written] = !before;
            if (place) place[written] = (uint32_t)at;
            written += (class != 0) & (class != before);
            before = class;
        }
        if (at != stop || at == shown) continue; /* within a pair, or at the end */
        const uint32_t *codes = scratch->shown + at;
        int pair = pair_of(codes[0], codes[1]), class = classes[at];
        int doubled = at + 2 < shown && (codes[2] | 0x20) == (codes[1] | 0x20);
        int again = bytes[written - 1] == class && (pair == 'w' || before);
        if (doubled || again) continue;
        apart[written] = !before;
        bytes[written] = (uint8_t)pair;
        if (place) place[written] = (uint32_t)at;
        written += pair != before;
        before = pair;
        at += 2;
    }
    return written - 1;
}

/* What a listing was found to be like so far. */
typedef struct {
    int apart, apart_with_signs;  /* what `set_apart` says of its texts */
    int odd, readable, named;
} Seen;

/* Look for marks in the letters of a text; return what `set_apart` says of them. */
static int look(const Scratch *scratch, const uint16_t *classes, const Text *text,
                const Marks *marks, int64_t parts, Seen *seen) {
    int64_t count = write_letters(scratch, classes, text, NULL);
    Written written = {.letters = scratch->bytes + 1, .apart = scratch->apart + 1,
                       .opens = scratch->opens, .length = count};
    if (!seen->named && parts) mark_openings(&written);
    for (int64_t number = 0; number < parts && !seen->named; number++) {
        Hits hits = {.room = 0};
        find_patterns(marks[number].patterns, &written, &hits);
        seen->named = hits.count != 0;
    }
    return set_apart(scratch->bytes, scratch->apart, count + 1);
}

/* decoding.py, regular_separators */
static int is_regular(const Tables *tables, const uint32_t *shown, int64_t count) {
    for (int64_t at = 0; at + 4 < count; at++)
        if (shown[at] == shown[at + 2] && shown[at] == shown[at + 4] &&
            shown[at + 1] != shown[at] && shown[at + 3] != shown[at] &&
            (tables->flags[shown[at]] & SOFT))
            return 1;
    return 0;
}

/* Look for the signs in a text that may stand for a letter of a mark. */
static void note_signs(const Tables *tables, const Marks *marks, int64_t parts,
                       const Scratch *scratch, const Text *text, int64_t number, Struck *struck,
                       Seen *seen) {
    for (int64_t at = 0; at < text->signs; at++) {
        int64_t place = scratch->signs[at];
        int flags = tables->flags[scratch->codes[place]];
        if (flags & DRAWS)
            seen->odd |= draws(tables, scratch->codes + place, text->codes - place) ||
                         draws_half(tables, scratch->codes, text->codes, place);
        if (!(flags & STRIKES) ||
            !strikes(tables, marks, parts, scratch->codes, text->codes, place))
            continue;
        if (struck->count == struck->room) {
            seen->odd = 1;
            continue;
        }
        struck->text[struck->count] = number;
        struck->place[struck->count++] = scratch->origin[place];
    }
}

/* What the second look at a listing needs beside its texts. */
typedef struct {
    const Tables *tables;
    const Marks *marks;
    int64_t parts;                /* words are the last */
    Scratch *scratch;
    Named *named;
} Second;

/* Note what stands in one way to read a text; return whether there was room. */
static int list_way(const Second *second, const uint16_t *classes, const Text *text,
                    int64_t number) {
    enum { MOST = 32 };
    int64_t numbers[MOST], firsts[MOST];
    const Scratch *scratch = second->scratch;
    Named *named = second->named;
    int64_t count = write_letters(scratch, classes, text, scratch->place);
    Written written = {.letters = scratch->bytes + 1, .apart = scratch->apart + 1,
                       .opens = scratch->opens, .length = count};
    mark_openings(&written);
    for (int64_t part = 0; part < second->parts; part++) {
        Hits hits = {.numbers = numbers, .firsts = firsts, .room = MOST};
        find_patterns(second->marks[part].patterns, &written, &hits);
        if (hits.count > MOST || named->count + hits.count > named->room) return 0;
        for (int64_t hit = 0; hit < hits.count; hit++, named->count++) {
            named->text[named->count] = number;
            named->place[named->count] = scratch->character[scratch->place[firsts[hit] + 1]];
            named->part[named->count] = part;
            named->pattern[named->count] = numbers[hit];
        }
    }
    return 1;
}

/* Note all that stands in a listing's texts; return whether that is all there can be: words with a
   letter struck out are looked for elsewhere, and so is what stands in characters spelled out. */
static int list_named(const Second *second, const uint8_t *data, const int64_t *starts,
                      const int64_t *lengths, int64_t number, int64_t end) {
    Scratch *scratch = second->scratch;
    Struck none = {.room = 0};
    Seen seen = {.readable = 1};
    for (; number < end; number++) {
        Text text = decode(second->tables, data + starts[number], lengths[number], scratch);
        note_signs(second->tables, second->marks, second->parts, scratch, &text, number, &none,
                   &seen);
        if (text.spelled || seen.odd) return 0;
        for (int64_t code = 0, shown = 0; code < text.codes; code++) {
            scratch->character[shown] = scratch->origin[code];
            shown += !(second->tables->flags[scratch->codes[code]] & INVISIBLE);
        }
        if (!list_way(second, scratch->letters, &text, number)) return 0;
        if (text.flags & SOFT && !list_way(second, scratch->classes, &text, number)) return 0;
    }
    return 1;
}

/* Read all texts in both ways, say which listings may name a mark, and note what can be read in
   other ways. `starts` and `lengths` say where in the data the texts lie, `counts` how many each
   listing has. Of a listing that can be read in no other ways all is noted in `named` that stands in
   it, and its status is LISTED: that is most of those that name a mark. `marks` has a part more than
   `parts`, of words. */
void assayer_sieve(const Tables *tables, const Marks *marks, int64_t parts, const uint8_t *data,
                   const int64_t *starts, const int64_t *lengths, const int64_t *counts,
                   int64_t listings, Scratch *scratch, Struck *struck, Named *named,
                   uint8_t *status) {
    const Second second = {.tables = tables, .marks = marks, .parts = parts + 1,
                           .scratch = scratch, .named = named};
    int64_t number = 0;
    for (int64_t listing = 0; listing < listings; listing++) {
        Seen seen = {.readable = 1};
        int64_t first = number, known = named->count;
        for (int64_t end = number + counts[listing]; number < end; number++) {
            Text text = decode(tables, data + starts[number], lengths[number], scratch);
            if (!text.readable) {
                seen.readable = 0;
                continue;
            }
            seen.odd |= text.odd;
            note_signs(tables, marks, parts, scratch, &text, number, struck, &seen);
            if (text.flags & SEVERAL)
                seen.odd |= reads_in_two_ways(tables, scratch->codes, text.codes);
            seen.apart |= look(scratch, scratch->letters, &text, marks, parts, &seen);
            if (!(text.flags & SOFT)) continue;
            seen.odd |= is_regular(tables, scratch->shown, text.shown);
            seen.apart_with_signs |= look(scratch, scratch->classes, &text, marks, parts, &seen);
        }
        seen.odd |= seen.apart == (DOUBLED | SPREAD_OUT) ||
                    seen.apart_with_signs == (DOUBLED | SPREAD_OUT);
        status[listing] = !seen.readable ? UNREADABLE : seen.odd || seen.named ? READ : 0;
        if (status[listing] != READ || seen.odd) continue;
        if (list_named(&second, data, starts, lengths, first, number)) status[listing] = LISTED;
        else named->count = known;
    }
}
