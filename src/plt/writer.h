/* Writing traces to files: a sink takes whole records, a writer makes them of packets. */
#ifndef PLT_WRITER_H
#define PLT_WRITER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame;

/* --- Sinks, in sink.c ------------------------------------------------------------------------ */

/* A file, compressed or not, that whole records are written to. */
struct sink;

/* file is a binary file without a buffer; new_compressor makes a compressor of zlib's or bz2's
 * kind, None for none; only where members is true may the file have more than one compressed
 * stream.  Both are held.  NULL with an exception. */
struct sink *sink_new(PyObject *file, PyObject *new_compressor, bool members);
/* Room for a record, which the caller fills in at once; NULL with an exception, and then the
 * record is not part of the file. */
uint8_t *sink_record(struct sink *self, size_t len);
/* Whether what was gathered could not be written when that was last tried. */
bool sink_failed(const struct sink *self);
/* Write what is left, close the file, and free; 0, or -1 with an exception, which is the one that
 * was set before where there was one.  After an error of the file it ends, where it can be cut,
 * with the last record, or compressed stream, that is whole. */
int sink_close(struct sink *self);

/* --- Formats --------------------------------------------------------------------------------- */

enum trace_format { FORMAT_PCAP, FORMAT_ERF };

struct writer;

/* A writer that owns the sink from the call on, also where it fails.  header is what a file that
 * is appended to begins with.  NULL with an exception. */
struct writer *writer_new(enum trace_format format, struct sink *sink, const uint8_t *header,
                          Py_ssize_t header_len);
/* 0, or -1 with an exception. */
int writer_write(struct writer *self, const struct frame *frame);
/* Write what is left, close the file, and free; 0, or -1 with an exception. */
int writer_close(struct writer *self);
/* Whether what was written before could not be put into the file when that was last tried. */
bool writer_failed(const struct writer *self);

/* The writer of ERF records, in erf.c; 0, or -1 with an exception. */
int erf_write(struct sink *sink, const struct frame *frame);

#endif
