/* Sinks: files that take whole records. */
#ifndef PLT_SINK_H
#define PLT_SINK_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#endif
