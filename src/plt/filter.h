/* plt.filter: tcpdump expressions, and what they say of a packet. */
#ifndef PLT_FILTER_H
#define PLT_FILTER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

#include "source.h"

struct libtrace_filter_t;
struct plt_state;

struct where;
struct program;

enum soundness { NOT_TRIED, SOUND, UNSOUND };

/* A plt.filter; or a plt.where, which has no programs of libpcap's. */
struct filter {
    PyObject ob_base;
    PyObject *expression;           /* owned: str, NULL before __init__() */
    const char *text;               /* borrowed from expression, NULL where there is none yet */
    struct where *where;            /* owned; NULL in a plt.filter */
    struct program *programs;       /* owned */
    struct libtrace_filter_t *live; /* owned, or NULL: for traces that filter themselves */
    enum soundness soundness;       /* whether it can be compiled for some link type */
};

/* The ASCII text of an expression, borrowed from it; NULL with an exception. */
const char *filter_expression_text(PyObject *expression, Py_ssize_t *len);
/* Keep an expression, that of a subclass of str as a str, so that a filter holds nothing that could
 * hold it; 0, or -1 with MemoryError. */
int filter_keep_expression(struct filter *self, PyObject *expression);
enum { FILTER_NO_MEMORY = -2 };

/* 1 where a plt.filter accepts these bytes, 0 where not, below 0 with the reason in error:
 * FILTER_NO_MEMORY where nothing is wrong with the filter.  Needs no GIL, but one thread at a
 * time. */
int filter_accepts(PyObject *filter, const uint8_t *data, uint32_t len, const struct plt_meta *meta,
                   char error[SOURCE_ERROR_SIZE]);
/* The same of a record.  Of a mixed source, one of a link type for which the filter cannot be
 * compiled is not accepted, where it can be for another. */
int filter_record(PyObject *filter, const struct source *source, struct plt_record *record,
                  struct filter_use *use, char error[SOURCE_ERROR_SIZE]);
/* At the end of a trace: whether the filter could be compiled for none of its packets, and why. */
bool filter_was_refused(const struct filter_use *use, char error[SOURCE_ERROR_SIZE]);
/* packet.apply_filter. */
PyObject *packet_apply_filter(PyObject *self_, PyObject *filter);
/* libtrace's filter of a plt.filter, for a trace that filters itself; NULL of a plt.where, which no
 * trace knows.  Borrowed. */
struct libtrace_filter_t *filter_of(PyObject *filter);
/* Its expression in libpcap's language, NULL of a plt.where.  Borrowed. */
const char *filter_text(PyObject *filter);
/* The filter, owned, that an argument of a method is, or is the expression of; NULL with an
 * exception. */
PyObject *filter_from(const struct plt_state *state, PyObject *filter, const char *method);
/* Whether an argument of a method is a plt.filter with an expression; else an exception. */
bool filter_check(const struct plt_state *state, PyObject *filter, const char *method);

#endif
