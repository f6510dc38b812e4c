/* Sources: where packets come from, one record after another, and how files are read for them. */
#ifndef PLT_SOURCE_H
#define PLT_SOURCE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/packet.h"

struct capture_config;
struct source;

/* A stream of bytes, read through a buffer.  The stream is a Python object with readinto1(),
 * or readinto() of a raw file: it waits at most for one read, having given back the GIL. */
struct input {
    PyObject *stream;   /* owned */
    const char *method; /* of the stream: readinto1 or readinto */
    int waits_on;       /* the descriptor of a pipe or socket, -1 of what is read without waiting */
    uint8_t *buffer;    /* owned */
    size_t capacity;
    size_t at;   /* of the next byte to hand out */
    size_t end;  /* of what was read */
    size_t need; /* bytes from `at` on without which asking again is no use */
    bool eof;
    uint64_t before; /* bytes of the stream before those in the buffer */
    uint64_t stop;   /* of a part of a file: its records begin before this byte of the stream */
    bool is_of_part; /* which is to be told where its last record ended */
};

enum source_result { SOURCE_RECORD, SOURCE_END, SOURCE_MORE, SOURCE_ERROR };

#define SOURCE_ERROR_SIZE 256

/* What became of a filter among the packets of a trace that may be of several link types. */
struct filter_use {
    bool applied;                    /* it could be compiled for one of them */
    char refused[SOURCE_ERROR_SIZE]; /* why not for the first for which it could not, or "" */
    struct plt_layers layers;        /* of the last record that a condition was asked about */
};

/* Where packets come from.  next() neither waits nor needs the GIL; where it answers SOURCE_MORE,
 * fill() is to be called with the GIL held, and next() again. */
typedef enum source_result source_next(struct source *self, struct plt_record *record);

/* The next records of those that are in memory as a whole, up to `most`.  None where there is
 * something else to do: next() does it, or tells what is wrong. */
typedef size_t source_next_block(struct source *self, struct plt_record *records, size_t most);

struct source {
    source_next *next;
    source_next_block *next_block;    /* NULL where there is no faster way than next() */
    int (*fill)(struct source *self); /* 0, or -1 with an exception */
    void (*destroy)(struct source *self);
    void (*count_drops)(struct source *self); /* bring drops up to date; may be NULL */
    /* Of live sources, NULL for files: stop, and go on with another configuration. */
    int (*pause)(struct source *self);
    int (*resume)(struct source *self, const struct capture_config *config);
    /* Of live sources: take over another configuration while capturing; what was captured before
     * may still come.  1 where it must be paused and resumed for that, -1 with an exception and
     * nothing changed. */
    int (*configure)(struct source *self, const struct capture_config *config);
    struct input input;
    bool filters;                 /* the configured filter is applied by the source itself */
    bool mixed;                   /* packets may be of several link types */
    struct filter_use filter_use; /* of the trace's filter, where it is applied here */
    bool has_back;                /* a record was given back: it is the next */
    struct plt_record back;       /* valid with that; its bytes are borrowed, as next() gave them */
    double deadline;              /* fill() of a live source waits no longer; 0 without */
    uint64_t drops;
    uint64_t count;                /* records handed out */
    char error[SOURCE_ERROR_SIZE]; /* why next() answered SOURCE_ERROR */
};

/* The next record: that which was given back, or what next() gives. */
static inline enum source_result source_take(struct source *self, struct plt_record *record)
{
    if (!self->has_back)
        return self->next(self, record);
    self->has_back = false;
    *record = self->back;
    return SOURCE_RECORD;
}
/* The record that came last comes once more: there was no memory for what was to be made of it. */
static inline void source_give_back(struct source *self, const struct plt_record *record)
{
    self->back = *record;
    self->has_back = true;
}

/* The bytes from `at` on, at least `need` of them; else NULL, and *result tells why: more is to be
 * read (SOURCE_MORE), the stream ended between two records (SOURCE_END) or within `what`
 * (SOURCE_ERROR). */
const uint8_t *input_need(struct source *source, size_t need, const char *what,
                          enum source_result *result);
/* Where in the buffer no more records begin that the stream is read for: most often its end. */
static inline size_t input_limit(const struct input *input)
{
    uint64_t left = input->stop > input->before ? input->stop - input->before : 0;
    return left < input->end ? (size_t)left : input->end;
}
/* Whether the next record would begin after the part. */
static inline bool input_is_past(const struct input *input)
{
    return input->before + input->at >= input->stop;
}
/* Read more into the input: the fill() of sources that have nothing else to do. */
int input_fill(struct source *source);
/* A source that begins a struct of size bytes, zero but for what every reader of files has in
 * common; NULL with MemoryError. */
struct source *file_source_new(size_t size, source_next *next);
/* Whether records are valid until fill() is called, not only until next() is: those of files are in
 * its buffer. */
static inline bool source_keeps_records(const struct source *self)
{
    return self->input.stream != NULL;
}
/* Read from a stream, of which ahead was read already; both are held.  0, or -1 with an exception.
 */
int input_open(struct input *input, const char *ahead, size_t ahead_len, PyObject *stream);
/* Close the stream, which is closed again by input_clear(). */
void input_close(const struct input *input);
void input_clear(struct input *input);
enum source_result source_fail(struct source *source, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
