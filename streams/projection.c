/* The inner loop of projection.py: reads a few fields of many Avro records, and walks over the rest.

   What to do with the fields of the writer's schema is a program, compiled there: one instruction a
   field, more for what repeats. What is wrong with a record that is not whole is not said here.
   Nothing is read behind the end of a record, nothing written behind the room that is given. */

#include "reader.h"

enum {                 /* operands */
    END,               /* */
    SKIP_NUMBER,       /* */
    SKIP_BYTES,        /* */
    SKIP_FIXED,        /* bytes */
    UNION,             /* branches; of each where it begins */
    JUMP,              /* where to */
    BLOCKS,            /* whether there are keys; where to go on behind them */
    END_OF_ITEM,       /* */
    NUMBER,            /* column */
    ENUM,              /* column, symbols */
    STRING,            /* column */
    TEXT,              /* */
    ITEM,              /* */
};
enum { BROKEN = 0, WHOLE = 1, TOO_MANY_ITEMS = 2 }; /* what `status` says of a record */
enum { DEPTH = 64 };

typedef struct {
    int64_t *starts, *lengths;  /* in the data */
    int64_t *counts;            /* of each record */
    int64_t count, room;
    int64_t full;               /* there was no room for all */
} Strings;

static void note(Reader *reader, Strings *strings) {
    int64_t size = read_number(reader), start = reader->at;
    skip(reader, size);
    if (reader->broken || !size) return;
    if (strings->count == strings->room) {
        strings->full = reader->broken = 1;
        return;
    }
    strings->starts[strings->count] = start;
    strings->lengths[strings->count++] = size;
}

/* Read one record; `numbers` and `strings` get the columns, `left` is how many items it may have. */
static int read_record(const int32_t *program, Reader *reader, int64_t *numbers, int64_t *strings,
                       Strings *texts, Strings *items, int64_t left) {
    struct { int64_t remaining; int32_t begins, behind, keyed; } open[DEPTH];
    int depth = 0;
    const int32_t *step = program;
    while (!reader->broken) {
        switch (*step) {
        case END:
            return reader->at == reader->end ? WHOLE : BROKEN;
        case SKIP_NUMBER:
            while (reader->at < reader->end && reader->data[reader->at] > 127) reader->at++;
            skip(reader, 1);
            step++;
            break;
        case SKIP_BYTES:
            skip(reader, read_number(reader));
            step++;
            break;
        case SKIP_FIXED:
            skip(reader, step[1]);
            step += 2;
            break;
        case UNION: {
            int64_t branch = read_number(reader);
            if (branch < 0 || branch >= step[1]) return BROKEN;
            step = program + step[2 + branch];
            break;
        }
        case JUMP:
            step = program + step[1];
            break;
        case BLOCKS:
            if (depth == DEPTH) return BROKEN;
            open[depth].remaining = 0;
            open[depth].keyed = step[1];
            open[depth].behind = step[2];
            open[depth++].begins = (int32_t)(step - program) + 3;
            /* fall through */
        case END_OF_ITEM: {
            int64_t *remaining = &open[depth - 1].remaining;
            if (!*remaining) {
                int64_t count = read_number(reader);
                if (count > left || count < -left) return TOO_MANY_ITEMS;
                if (count < 0) {
                    read_number(reader); /* the block's size in bytes */
                    count = -count;
                }
                left -= count;
                *remaining = count;
                if (!count) {
                    step = program + open[--depth].behind;
                    break;
                }
            }
            --*remaining;
            if (open[depth - 1].keyed) skip(reader, read_number(reader));
            step = program + open[depth - 1].begins;
            break;
        }
        case NUMBER:
            numbers[step[1]] = read_number(reader);
            step += 2;
            break;
        case ENUM:
            numbers[step[1]] = read_number(reader);
            if (numbers[step[1]] < 0 || numbers[step[1]] >= step[2]) return BROKEN;
            step += 3;
            break;
        case STRING: {
            int64_t size = read_number(reader);
            strings[2 * step[1]] = reader->at;
            strings[2 * step[1] + 1] = size;
            skip(reader, size);
            step += 2;
            break;
        }
        case TEXT:
            note(reader, texts);
            step++;
            break;
        case ITEM:
            note(reader, items);
            step++;
            break;
        default:
            return BROKEN;
        }
    }
    return BROKEN;
}

/* Read the records that lie one behind the other in `data`, `head` bytes into each value.

   `numbers` has so many columns a record, `strings` a start and a length for each of its columns. */
void assayer_project(const int32_t *program, const uint8_t *data, const int64_t *lengths,
                     int64_t records, int64_t head, int64_t most_items, int64_t *numbers,
                     int64_t number_columns, int64_t *strings, int64_t string_columns,
                     Strings *texts, Strings *items, uint8_t *status) {
    Reader reader = {.data = data};
    for (int64_t record = 0; record < records; record++) {
        int64_t first_text = texts->count, first_item = items->count;
        int64_t start = reader.end;
        reader.end = start + lengths[record];
        reader.at = start + head;
        reader.broken = 0;
        status[record] = BROKEN;
        if (lengths[record] >= head)
            status[record] = (uint8_t)read_record(
                program, &reader, numbers + record * number_columns,
                strings + 2 * record * string_columns, texts, items, most_items);
        if (status[record] != WHOLE) {
            texts->count = first_text;
            items->count = first_item;
        }
        texts->counts[record] = texts->count - first_text;
        items->counts[record] = items->count - first_item;
    }
}
