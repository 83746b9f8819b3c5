/* The inner loops of phrases.py, which says what they are for.

   Phrases lie in a trie, level by level: what begins many words is read again and again, and lies
   close together. A word that begins no phrase is left after two or three letters. All memory is
   the caller's, and everything is bounded by the lengths given. */

#include <stdint.h>

enum { UNKNOWN = 0, ONE = 0x200000, SEVERAL = 0x400000, NO_KIND = 0 };
enum { WELL = -1, NO_ROOM = -2, MOST_ALIKE = 64, MOST_LEAST = 8, NUMBER = 1 };
#define ENDS 0x80000000u

typedef struct {
    uint8_t *bytes;               /* of each node the byte that leads to it */
    uint32_t *children;           /* where its children begin, up to those of the next; one more.
                                     With ENDS where a phrase ends there */
    int32_t *phrases;             /* the phrase that ends there */
    uint32_t *root;               /* for each byte the node it leads to at first; 0 for none */
    const int32_t *noted_at;      /* where the notes of each phrase begin in `noted`; one more */
    const int32_t *noted;         /* entries; those of words with any ending as `with_ending` says */
} Trie;

typedef struct {
    const uint32_t *readings;     /* of each code point: UNKNOWN, one below ONE, or a place there */
    const uint32_t *spelled_at;   /* where each reading of none or several begins; one more */
    const uint32_t *spelled;
    const uint8_t *kinds;         /* of each code point that one reads as: its script, or NO_KIND */
} Folding;

typedef struct {
    uint8_t *bytes;               /* the texts as they are read, with ends of lines between */
    int64_t length, room;
    int64_t *lines;               /* where each text begins */
    uint32_t *places;             /* of each character of a text, where it stands in its reading */
    uint32_t *at;                 /* and in `bytes`; one more */
    uint8_t *kinds;               /* its script */
} Lines;

typedef struct {
    int32_t *texts, *entries, *starts, *ends;
    int64_t count, room;
} Hits;

static inline int64_t next_node(const Trie *trie, int64_t node, uint8_t byte) {
    if (!node) return trie->root[byte];
    uint32_t at = trie->children[node] & ~ENDS, end = trie->children[node + 1] & ~ENDS;
    while (at < end && trie->bytes[at] != byte) at++;
    return at < end ? at : 0;
}

/* Return how many nodes a trie of these phrases has; they are in order, and none stands twice. */
int64_t assayer_phrases_count(const uint8_t *data, const int64_t *starts, int64_t count) {
    int64_t nodes = 1;
    for (int64_t phrase = 0; phrase < count; phrase++) {
        int64_t at = starts[phrase], before = phrase ? starts[phrase - 1] : at, end = at;
        while (before < end && at < starts[phrase + 1] && data[at] == data[before]) at++, before++;
        nodes += starts[phrase + 1] - at;
    }
    return nodes;
}

/* Put them into a trie, level by level. `firsts` and `ends` have room for a number of each node:
   the phrases that begin with what leads to it. Returns WELL, or the phrase with which more than
   MOST_ALIKE entries may begin at one place. */
int64_t assayer_phrases_build(Trie *trie, const uint8_t *data, const int64_t *starts, int64_t count,
                              int64_t *firsts, int64_t *ends) {
    int64_t nodes = 1, level_end = 1, depth = 0;
    firsts[0] = 0;
    ends[0] = count;
    for (int64_t node = 0; node < nodes; node++) {
        if (node == level_end) {
            level_end = nodes;
            depth++;
        }
        int64_t phrase = firsts[node];
        trie->children[node] = (uint32_t)nodes;
        if (node && starts[phrase] + depth == starts[phrase + 1]) {
            trie->children[node] |= ENDS;
            trie->phrases[node] = (int32_t)phrase++;
        }
        for (; phrase < ends[node]; phrase++) {
            uint8_t byte = data[starts[phrase] + depth];
            if (phrase == firsts[node] || nodes == (trie->children[node] & ~ENDS) ||
                byte != trie->bytes[nodes - 1]) {
                trie->bytes[nodes] = byte;
                firsts[nodes++] = phrase;
            }
            ends[nodes - 1] = phrase + 1;
            if (!node) trie->root[byte] = (uint32_t)nodes - 1;
        }
    }
    trie->children[nodes] = (uint32_t)nodes;
    for (int64_t phrase = 0; phrase < count; phrase++) {
        int64_t node = 0, alike = 0;
        for (int64_t at = starts[phrase]; at < starts[phrase + 1]; at++) {
            node = next_node(trie, node, data[at]);
            if (!(trie->children[node] & ENDS)) continue;
            const int32_t *noted_at = trie->noted_at + trie->phrases[node];
            alike += noted_at[1] - noted_at[0];
        }
        if (alike > MOST_ALIKE) return phrase;
    }
    return WELL;
}

/* Read a code point of well-formed UTF-8. */
static inline uint32_t next_code(const uint8_t *data, int64_t *at) {
    uint32_t lead = data[(*at)++];
    if (lead < 0x80) return lead;
    int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    uint32_t code = lead & (0x3Fu >> more);
    for (; more; more--) code = code << 6 | (data[(*at)++] & 0x3Fu);
    return code;
}

static inline int64_t write_code(uint8_t *bytes, uint32_t code) {
    if (code < 0x80) {
        bytes[0] = (uint8_t)code;
        return 1;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    for (int number = more; number > 0; number--, code >>= 6)
        bytes[number] = (uint8_t)(0x80 | (code & 0x3F));
    bytes[0] = (uint8_t)(code | (more == 1 ? 0xC0u : more == 2 ? 0xE0u : 0xF0u));
    return more + 1;
}

/* What a text is read into: characters of a line, and of the reading they are counted in. */
typedef struct {
    int64_t characters, read;
    int space;                    /* whether the last one is a space */
} Text;

/* expressions.py, spaced: a hyphen, a low line and a run of spaces read as one space. */
static inline void add_code(const Folding *folding, Lines *lines, Text *text, uint32_t code) {
    int space = code == ' ' || code == '-' || code == '_';
    if (!(space && text->space)) {
        lines->places[text->characters] = (uint32_t)text->read;
        lines->kinds[text->characters] = folding->kinds[code];
        lines->at[text->characters++] = (uint32_t)lines->length;
        lines->length += write_code(lines->bytes + lines->length, space ? ' ' : code);
    }
    text->space = space;
    text->read++;
}

/* Write the folded reading of a text. Returns WELL, NO_ROOM, or a code point nothing is known of. */
static int64_t read_text(const Folding *folding, const uint8_t *data, int64_t size, Lines *lines,
                         Text *text) {
    for (int64_t at = 0; at < size;) {
        uint32_t code = next_code(data, &at), reading = folding->readings[code];
        if (reading == UNKNOWN) return code;
        if (lines->length + 8 > lines->room) return NO_ROOM;
        if (reading <= ONE) {
            add_code(folding, lines, text, reading - 1);
            continue;
        }
        const uint32_t *spelled_at = folding->spelled_at + (reading - SEVERAL);
        for (uint32_t letter = spelled_at[0]; letter < spelled_at[1]; letter++) {
            if (lines->length + 8 > lines->room) return NO_ROOM;
            add_code(folding, lines, text, folding->spelled[letter]);
        }
    }
    lines->at[text->characters] = (uint32_t)lines->length;
    lines->places[text->characters] = (uint32_t)text->read;
    lines->kinds[text->characters] = NO_KIND;
    return WELL;
}

/* An entry that stands at some place, and the character behind it. */
typedef struct {
    int32_t entry;
    int64_t end;
} Ending;

/* The entries that stand from one place on, so far. */
typedef struct {
    Ending endings[MOST_ALIKE];
    int count;
} Found;

/* Note an entry, its longest match alone; the longest first, then by their numbers. */
static inline void note(Found *found, int32_t entry, int64_t end) {
    Ending *endings = found->endings;
    int at = 0;
    while (at < found->count && endings[at].entry != entry) at++;
    if (at < found->count && endings[at].end >= end) return;
    found->count += at == found->count; /* building the trie has seen to it that there is room */
    for (; at > 0 && (endings[at - 1].end < end ||
                      (endings[at - 1].end == end && endings[at - 1].entry > entry)); at--)
        endings[at] = endings[at - 1];
    endings[at] = (Ending){entry, end};
}

static inline int is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

/* Note what ends with a node, before a character. */
static inline void note_all(const Trie *trie, const Lines *lines, int64_t node, int64_t end,
                            const uint32_t *word_ends, Found *found) {
    if (!(trie->children[node] & ENDS)) return;
    int32_t phrase = trie->phrases[node];
    uint8_t before = lines->kinds[end - 1], behind = lines->kinds[end];
    int within = behind && behind == before;
    /* 'spare \w*' ends behind the next word */
    int onto = behind && lines->bytes[lines->at[end] - 1] == ' ';
    int64_t word_end = within || onto ? word_ends[end] : end;
    for (int32_t each = trie->noted_at[phrase]; each < trie->noted_at[phrase + 1]; each++) {
        int32_t entry = trie->noted[each], ending = -1 - entry;
        if (entry < 0) {
            if (word_end - end >= ending % MOST_LEAST)
                note(found, ending / MOST_LEAST, word_end);
        } else if (!within) note(found, entry, end);
    }
}

/* Find the phrases that go on from a node at a byte of a character, as whole words. */
static void follow(const Trie *trie, const Lines *lines, const Text *text, int64_t node, int64_t at,
                   int64_t end, const uint32_t *word_ends, Found *found) {
    int64_t last = lines->at[text->characters], number;
    while (at < last) {
        if (is_digit(lines->bytes[at]) && (number = next_node(trie, node, NUMBER))) {
            int64_t behind = at, character = end;
            while (behind < last && is_digit(lines->bytes[behind])) behind++, character++;
            note_all(trie, lines, number, character, word_ends, found);
            follow(trie, lines, text, number, behind, character, word_ends, found);
        }
        if (!(node = next_node(trie, node, lines->bytes[at++]))) return;
        if (at == lines->at[end + 1]) end++;
        note_all(trie, lines, node, end, word_ends, found);
    }
}

/* Write where the word of each character ends, from the back. */
static void find_word_ends(const Lines *lines, const Text *text, uint32_t *word_ends) {
    const uint8_t *kinds = lines->kinds;
    for (int64_t at = text->characters - 1; at >= 0; at--)
        word_ends[at] = kinds[at] && kinds[at] == kinds[at + 1] ? word_ends[at + 1]
                                                                : (uint32_t)at + 1;
}

/* Read texts, and find the phrases in them; in order, counted in the folded reading of each.

   Returns WELL, NO_ROOM, or a code point of which nothing is known. */
int64_t assayer_phrases_find(const Trie *trie, const Folding *folding, const uint8_t *data,
                             const int64_t *lengths, int64_t texts, uint32_t *word_ends,
                             Lines *lines, Hits *hits) {
    Found found;
    lines->length = hits->count = 0;
    for (int64_t number = 0; number < texts; data += lengths[number++]) {
        Text text = {0};
        if (number && lines->length == lines->room) return NO_ROOM;
        if (number) lines->bytes[lines->length++] = '\n';
        lines->lines[number] = lines->length;
        int64_t status = read_text(folding, data, lengths[number], lines, &text);
        if (status != WELL) return status;
        find_word_ends(lines, &text, word_ends);
        for (int64_t first = 0; first < text.characters; first++) {
            if (first && lines->kinds[first] && lines->kinds[first] == lines->kinds[first - 1])
                continue;
            found.count = 0;
            follow(trie, lines, &text, 0, lines->at[first], first, word_ends, &found);
            if (hits->count + found.count > hits->room) return NO_ROOM;
            for (int each = 0; each < found.count; each++, hits->count++) {
                hits->texts[hits->count] = (int32_t)number;
                hits->entries[hits->count] = found.endings[each].entry;
                hits->starts[hits->count] = (int32_t)lines->places[first];
                hits->ends[hits->count] = (int32_t)lines->places[found.endings[each].end - 1] + 1;
            }
        }
    }
    return WELL;
}
