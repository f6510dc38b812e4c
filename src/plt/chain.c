/* Chains of records.  What is found here is a guess: packets may hold what looks like records.  Who
 * uses it reads the file up to there, and reads on from where the records before really end. */
#include "chain.h"

#include "packet/bytes.h"

#include "pcapfile.h"
#include "pcapngfile.h"
#include "readers.h"

/* How the records of a file are laid out, as bits of a number that Python code keeps. */
enum layout { LAYOUT_PCAPNG = 1, LAYOUT_BIG_ENDIAN = 2, LAYOUT_NANOSECONDS = 4 };

/* Why following a chain ended. */
enum end {
    END_REACHED, /* a block begins at or after the place to stop at, or where the data ends */
    END_MORE,    /* the header of a block is cut */
    END_STATE,   /* a block that says how those after it are read */
    END_DAMAGE   /* what the reader takes for damage */
};

/* What a guess asks of records: those of real traces are like that. */
enum {
    LEAST_RECORDS = 5,
    MOST_CAPTURED = 262144,
    MOST_BLOCK = 1 << 20,
    MOST_TYPE = 16, /* of a block */
};

/* Seconds between two records that follow each other, at most. */
static const uint32_t most_apart = 86400;

struct records {
    const uint8_t *data;
    size_t len;
    bool is_pcapng;
    bool big_endian;
    uint32_t fraction; /* of a second, that a time has less of */
};

static struct records records_of(const Py_buffer *buffer, int layout)
{
    return (struct records){.data = buffer->buf,
                            .len = (size_t)buffer->len,
                            .is_pcapng = layout & LAYOUT_PCAPNG,
                            .big_endian = layout & LAYOUT_BIG_ENDIAN,
                            .fraction = layout & LAYOUT_NANOSECONDS ? 1000000000 : 1000000};
}

/* --- Following the blocks of pcapng ---------------------------------------------------------- */

/* Go from block to block, from *at on, and count those with a packet. */
static enum end follow_blocks(const struct records *records, uint64_t *at, uint64_t stop,
                              uint64_t *packets)
{
    while (*at < stop && *at < records->len) {
        if (records->len - *at < BLOCK_HEADER)
            return END_MORE;
        uint32_t type = load32(records->big_endian, records->data + *at);
        uint32_t len = load32(records->big_endian, records->data + *at + 4);
        if (type == BLOCK_SECTION || type == BLOCK_INTERFACE)
            return END_STATE;
        if (len < BLOCK_HEADER + BLOCK_TRAILER || len % 4 != 0)
            return END_DAMAGE;
        *at += len;
        *packets += type == BLOCK_ENHANCED || type == BLOCK_PACKET || type == BLOCK_SIMPLE;
    }
    return END_REACHED;
}

PyObject *chain_follow(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer buffer;
    int layout = 0;
    unsigned long long at = 0;
    unsigned long long stop = 0;
    if (!PyArg_ParseTuple(args, "iy*KK", &layout, &buffer, &at, &stop))
        return NULL;
    struct records records = records_of(&buffer, layout);
    uint64_t place = at;
    uint64_t packets = 0;
    enum end end = END_REACHED;
    Py_BEGIN_ALLOW_THREADS
    end = follow_blocks(&records, &place, stop, &packets);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&buffer);
    return Py_BuildValue("KKi", (unsigned long long)place, (unsigned long long)packets, (int)end);
}

/* --- Finding --------------------------------------------------------------------------------- */

/* The size of what may be a record of pcap; 0 where it is none.  before is the time of the record
 * before it, 0 where there is none. */
static uint32_t pcap_size(const struct records *records, size_t at, uint32_t before)
{
    const uint8_t *header = records->data + at;
    uint32_t seconds = load32(records->big_endian, header);
    uint32_t captured = load32(records->big_endian, header + 8);
    if (captured == 0 || captured > MOST_CAPTURED ||
        captured > load32(records->big_endian, header + 12) ||
        load32(records->big_endian, header + 4) >= records->fraction ||
        (before && seconds - before + most_apart > 2 * most_apart))
        return 0;
    return PCAP_PACKET_HEADER + captured;
}

/* The same of a block of pcapng, whose length comes once more at its end where that was read. */
static uint32_t pcapng_size(const struct records *records, size_t at)
{
    uint32_t type = load32(records->big_endian, records->data + at);
    uint32_t len = load32(records->big_endian, records->data + at + 4);
    if (type == 0 || type > MOST_TYPE || len < BLOCK_HEADER + BLOCK_TRAILER || len % 4 != 0 ||
        len > MOST_BLOCK)
        return 0;
    if (records->len - at < len)
        return len;
    return load32(records->big_endian, records->data + at + len - BLOCK_TRAILER) == len ? len : 0;
}

/* Whether a chain of some records goes on from a place to the end of the data.  Each record takes
 * one of *steps: without any left, nothing is found. */
static bool chain_goes_on(const struct records *records, size_t at, size_t *steps)
{
    uint32_t before = 0;
    size_t header = records->is_pcapng ? BLOCK_HEADER : PCAP_PACKET_HEADER;
    size_t count = 0;
    for (; at < records->len && records->len - at >= header; count++) {
        uint32_t size =
            records->is_pcapng ? pcapng_size(records, at) : pcap_size(records, at, before);
        if (size == 0 || *steps == 0)
            return false;
        --*steps;
        if (!records->is_pcapng)
            before = load32(records->big_endian, records->data + at);
        at += size;
    }
    return count >= LEAST_RECORDS;
}

PyObject *chain_find(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_buffer buffer;
    int layout = 0;
    if (!PyArg_ParseTuple(args, "iy*", &layout, &buffer))
        return NULL;
    struct records records = records_of(&buffer, layout);
    size_t step = records.is_pcapng ? 4 : 1; /* blocks begin where the file's offset is such */
    size_t steps = 4 * records.len;          /* where everything looks like a record */
    bool found = false;
    size_t at = 0;
    Py_BEGIN_ALLOW_THREADS
    while (at + PCAP_PACKET_HEADER <= records.len && !(found = chain_goes_on(&records, at, &steps)))
        at += step;
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&buffer);
    if (!found)
        Py_RETURN_NONE;
    return PyLong_FromSize_t(at);
}

/* --- The layout ------------------------------------------------------------------------------ */

/* Whether the first records have headers of the usual size for certain: then the reader, which
 * looks at as many, takes no other. */
static bool has_usual_headers(const struct records *records)
{
    enum { LOOK_AT = 8 };
    size_t at = PCAP_FILE_HEADER;
    for (int i = 0; i < LOOK_AT; i++) {
        if (at > records->len || records->len - at < PCAP_PACKET_HEADER)
            return false;
        uint32_t size = pcap_size(records, at, 0);
        if (size == 0)
            return false;
        at += size;
    }
    return at <= records->len && records->len - at >= PCAP_PACKET_HEADER;
}

PyObject *chain_of(PyObject *Py_UNUSED(module), PyObject *head)
{
    Py_buffer buffer;
    int layout = -1;
    if (PyObject_GetBuffer(head, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    const uint8_t *bytes = buffer.buf;
    if (buffer.len >= PCAP_FILE_HEADER) {
        if (load_le32(bytes) == BLOCK_SECTION) {
            if (load_le32(bytes + 8) == PCAPNG_MAGIC)
                layout = LAYOUT_PCAPNG;
            else if (load_be32(bytes + 8) == PCAPNG_MAGIC)
                layout = LAYOUT_PCAPNG | LAYOUT_BIG_ENDIAN;
        } else {
            bool big_endian = load_be32(bytes) == PCAP_MICRO || load_be32(bytes) == PCAP_NANO;
            uint32_t magic = load32(big_endian, bytes);
            layout = (big_endian ? LAYOUT_BIG_ENDIAN : 0) |
                     (magic == PCAP_NANO ? LAYOUT_NANOSECONDS : 0);
            struct records records = records_of(&buffer, layout);
            /* of version 2.4: in older files the lengths may come in another order */
            if ((magic != PCAP_MICRO && magic != PCAP_NANO) || load16(big_endian, bytes + 4) != 2 ||
                load16(big_endian, bytes + 6) != 4 || !has_usual_headers(&records))
                layout = -1;
        }
    }
    PyBuffer_Release(&buffer);
    if (layout < 0)
        Py_RETURN_NONE;
    return PyLong_FromLong(layout);
}
