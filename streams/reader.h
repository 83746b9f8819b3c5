/* Reads numbers and walks over bytes, never behind an end. Avro and Kafka write numbers alike. */

#ifndef ASSAYER_READER_H
#define ASSAYER_READER_H

#include <stdint.h>

typedef struct {
    const uint8_t *data;
    int64_t at, end;
    int broken; /* something reached behind the end, or is no number */
} Reader;

static inline uint64_t read_bits(Reader *reader) {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (reader->at >= reader->end) break;
        uint8_t byte = reader->data[reader->at++];
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return value;
    }
    reader->broken = 1;
    return 0;
}

static inline int64_t read_number(Reader *reader) {
    uint64_t value = read_bits(reader);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static inline void skip(Reader *reader, int64_t size) {
    if (size < 0 || size > reader->end - reader->at) reader->broken = 1;
    else reader->at += size;
}

#endif
