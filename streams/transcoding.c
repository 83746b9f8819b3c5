/* The inner loop of transcoding.py: writes Avro records as MessagePack, by a program that is
   compiled there from the schema they were written with.

   What is wrong with a record that is not whole is not said here. Nothing is read behind the end of
   a record, nothing written behind the room that is given. */

#include <string.h>

#include "reader.h"

enum {                 /* operands */
    END,               /* */
    NUMBER,            /* */
    TEXT,              /* */
    FIXED,             /* bytes */
    UNION,             /* branches; of each where it begins */
    JUMP,              /* where to */
    BLOCKS,            /* whether there are keys; where to go on behind them */
    END_OF_ITEM,       /* */
    BYTES,             /* */
    BOOLEAN,           /* */
    FLOAT,             /* bytes: 4 or 8 */
    CONSTANT,          /* where it begins in the constants, and how long it is */
    ENUM,              /* symbols; of each the same */
};
enum { BROKEN = 0, WHOLE = 1, NO_ROOM = 2, TOO_MANY_ITEMS = 3 };
enum { DEPTH = 64, HEAD = 9 };       /* bytes that a number, or what stands before a string, takes */
enum { NO = 0xC2, YES = 0xC3, BINARY = 0xC6, FLOAT32 = 0xCA, FLOAT64 = 0xCB,
       INT64 = 0xD3, LONG_TEXT = 0xDB, ARRAY = 0xDD, MAP = 0xDF, SHORT_TEXT = 0xA0 };

typedef struct {
    uint8_t *bytes;
    int64_t at, room;
    int full;
} Writer;

static void write_big(Writer *writer, uint8_t kind, uint64_t value, int size) {
    if (writer->room - writer->at < HEAD) {
        writer->full = 1;
        return;
    }
    writer->bytes[writer->at++] = kind;
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
        writer->bytes[writer->at++] = (uint8_t)(value >> shift);
}

static void write_number(Writer *writer, int64_t value) {
    if (value < -32 || value > 127) write_big(writer, INT64, (uint64_t)value, 8);
    else write_big(writer, (uint8_t)value, 0, 0);
}

static void copy(Writer *writer, const uint8_t *data, int64_t size) {
    if (size > writer->room - writer->at) {
        writer->full = 1;
        return;
    }
    memcpy(writer->bytes + writer->at, data, (size_t)size);
    writer->at += size;
}

/* Take bytes from the record as they are. */
static void take(Reader *reader, Writer *writer, int64_t size) {
    if (size < 0 || size > reader->end - reader->at) {
        reader->broken = 1;
        return;
    }
    copy(writer, reader->data + reader->at, size);
    reader->at += size;
}

static void write_text(Reader *reader, Writer *writer) {
    int64_t size = read_number(reader);
    if (size >= 0 && size < 32) write_big(writer, (uint8_t)(SHORT_TEXT | size), 0, 0);
    else write_big(writer, LONG_TEXT, (uint64_t)size, 4);
    take(reader, writer, size);
}

/* Take a number with a point, whose bytes stand the other way round. */
static void write_float(Reader *reader, Writer *writer, int size) {
    uint64_t value = 0;
    if (size > reader->end - reader->at) {
        reader->broken = 1;
        return;
    }
    for (int byte = size - 1; byte >= 0; byte--)
        value = value << 8 | reader->data[reader->at + byte];
    reader->at += size;
    write_big(writer, size == 4 ? FLOAT32 : FLOAT64, value, size);
}

static int write_record(const int32_t *program, const uint8_t *constants, Reader *reader,
                        Writer *writer, int64_t left) {
    struct { int64_t remaining, head; uint32_t count; int32_t begins, behind, keyed; } open[DEPTH];
    int depth = 0;
    const int32_t *step = program;
    while (!reader->broken && !writer->full) {
        switch (*step) {
        case END:
            return reader->at == reader->end ? WHOLE : BROKEN;
        case NUMBER:
            write_number(writer, read_number(reader));
            step++;
            break;
        case TEXT:
            write_text(reader, writer);
            step++;
            break;
        case BYTES: {
            int64_t size = read_number(reader);
            write_big(writer, BINARY, (uint64_t)size, 4);
            take(reader, writer, size);
            step++;
            break;
        }
        case BOOLEAN:
            if (reader->at >= reader->end || reader->data[reader->at] > 1) return BROKEN;
            write_big(writer, reader->data[reader->at++] ? YES : NO, 0, 0);
            step++;
            break;
        case FLOAT:
            write_float(reader, writer, step[1]);
            step += 2;
            break;
        case FIXED:
            write_big(writer, BINARY, (uint64_t)step[1], 4);
            take(reader, writer, step[1]);
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
            open[depth].remaining = open[depth].count = 0;
            open[depth].keyed = step[1];
            open[depth].behind = step[2];
            open[depth].head = writer->at;
            open[depth++].begins = (int32_t)(step - program) + 3;
            write_big(writer, step[1] ? MAP : ARRAY, 0, 4);
            if (writer->full) break;
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
                open[depth - 1].count += (uint32_t)count;
                if (!count) {
                    depth--;
                    int64_t end = writer->at;
                    writer->at = open[depth].head;
                    write_big(writer, open[depth].keyed ? MAP : ARRAY, open[depth].count, 4);
                    writer->at = end;
                    step = program + open[depth].behind;
                    break;
                }
            }
            --*remaining;
            if (open[depth - 1].keyed) write_text(reader, writer);
            step = program + open[depth - 1].begins;
            break;
        }
        case CONSTANT:
            copy(writer, constants + step[1], step[2]);
            step += 3;
            break;
        case ENUM: {
            int64_t symbol = read_number(reader);
            if (symbol < 0 || symbol >= step[1]) return BROKEN;
            copy(writer, constants + step[2 + 2 * symbol], step[3 + 2 * symbol]);
            step += 2 + 2 * step[1];
            break;
        }
        default:
            return BROKEN;
        }
    }
    return reader->broken ? BROKEN : NO_ROOM;
}

/* Write the records that lie one behind the other in `data`, `head` bytes into each value, one
   behind the other. `ends` says where each ends; of one that is not whole nothing is written.
   Returns whether there was room. */
int64_t assayer_transcode(const int32_t *program, const uint8_t *constants, const uint8_t *data,
                          const int64_t *lengths, int64_t records, int64_t head,
                          int64_t most_items, uint8_t *bytes, int64_t room, int64_t *ends) {
    Reader reader = {.data = data};
    Writer writer = {.bytes = bytes, .room = room};
    for (int64_t record = 0; record < records; record++) {
        int64_t start = reader.end, begun = writer.at;
        reader.end = start + lengths[record];
        reader.at = start + head;
        reader.broken = 0;
        int status = BROKEN;
        if (lengths[record] >= head)
            status = write_record(program, constants, &reader, &writer, most_items);
        if (status == NO_ROOM) return 0;
        if (status != WHOLE) writer.at = begun;
        ends[record] = writer.at;
    }
    return 1;
}
