/* Writers: packets into records of a file format. */
#ifndef PLT_WRITER_H
#define PLT_WRITER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame;
struct sink;

struct writer {
    /* 0, or -1 with an exception. */
    int (*write)(struct writer *self, const struct frame *frame);
    int (*finish)(struct writer *self); /* the same at the end of the file; may be NULL */
    struct sink *sink;                  /* owned */
};

/* A writer that begins a struct of size bytes, zero but for what is given.  It owns the sink from
 * the call on, also where it fails.  NULL with an exception. */
struct writer *writer_new(size_t size, struct sink *sink,
                          int (*write)(struct writer *self, const struct frame *frame));
/* 0, or -1 with an exception. */
int writer_write(struct writer *self, const struct frame *frame);
/* Write what is left, close the file, and free; 0, or -1 with an exception. */
int writer_close(struct writer *self);
/* Whether what was written before could not be put into the file when that was last tried. */
bool writer_failed(const struct writer *self);

/* The writers of formats, which own the sink likewise.  header is what a file that is appended to
 * begins with. */
struct writer *pcap_writer_new(struct sink *sink, const uint8_t *header, size_t header_len);
struct writer *pcapng_writer_new(struct sink *sink, const uint8_t *header, size_t header_len);
struct writer *erf_writer_new(struct sink *sink, const uint8_t *header, size_t header_len);

#endif
