/* The inner loop of stored_batches.py: where the parts of Kafka's records lie in the bytes of a batch.

   The layout is that of Kafka's message format 2, behind the batch's own header. Nothing is read
   behind the end. */

#include "reader.h"

enum { OFFSET, TIME, KEY, KEY_SIZE, VALUE, VALUE_SIZE, HEADERS, COLUMNS };

typedef struct {
    int64_t start, size;
} Span;

/* Walk over a key or a value; one that is null has a negative size. */
static Span read_span(Reader *reader) {
    Span span = {.size = read_number(reader)};
    span.start = reader->at;
    if (span.size > 0) skip(reader, span.size);
    return span;
}

static void skip_headers(Reader *reader) {
    int64_t count = read_number(reader);
    if (count < 0) reader->broken = 1;
    while (!reader->broken && count--) {
        skip(reader, read_number(reader));
        read_span(reader);
    }
}

/* Read `count` records, which take all bytes from `start` to `end`; return whether they do.

   `columns` has room for `count` numbers of each column, one column behind the other. Where the
   broker has set the times, all records have `append_time`; otherwise that is negative. */
int assayer_read_records(const uint8_t *data, int64_t start, int64_t end, int64_t count,
                         int64_t base_offset, int64_t base_time, int64_t append_time,
                         int64_t *columns) {
    Reader reader = {.data = data, .at = start, .end = end};
    for (int64_t record = 0; record < count; record++) {
        int64_t *column = columns + record;
        int64_t size = read_number(&reader);
        if (reader.broken || size < 0 || size > end - reader.at) return 0;
        reader.end = reader.at + size;
        skip(&reader, 1); /* attributes: none are in use */
        int64_t time = (int64_t)((uint64_t)base_time + (uint64_t)read_number(&reader));
        column[TIME * count] = append_time < 0 ? time : append_time;
        column[OFFSET * count] = (int64_t)((uint64_t)base_offset + (uint64_t)read_number(&reader));
        Span key = read_span(&reader), value = read_span(&reader);
        column[KEY * count] = key.start;
        column[KEY_SIZE * count] = key.size;
        column[VALUE * count] = value.start;
        column[VALUE_SIZE * count] = value.size;
        column[HEADERS * count] = reader.at;
        skip_headers(&reader);
        if (reader.broken || reader.at != reader.end) return 0;
        reader.end = end;
    }
    return reader.at == end;
}
