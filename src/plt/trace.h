/* Traces: the object, and reading from it.  Its type is made in tracetype.c. */
#ifndef PLT_TRACE_H
#define PLT_TRACE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"

struct source;
struct view;

struct trace {
    PyObject ob_base;
    PyObject *uri;         /* owned: str */
    PyObject *origin;      /* owned, or NULL: what the URI was made of where it is no text */
    struct source *source; /* owned, or NULL before start() and after close() */
    PyObject *filter;      /* owned: plt.filter, or NULL */
    int snaplen;           /* -1 where not set, 0 for no limit */
    int promisc;
    double timeout; /* seconds, 0 for none */
    struct bounds bounds;
    bool started;
    bool closed;
    bool busy; /* in a call that may have given back the GIL */
    uint64_t accepted;
    uint64_t drops; /* of a source that is closed */
    /* The last two packets of the iteration.  One of them is the loop's variable, the other is
     * free again as soon as nothing else holds it: the loop allocates nothing. */
    struct view *spare[2]; /* owned, or NULL */
    int turn;
};

/* LibtraceError: the trace is in use; NULL. */
PyObject *trace_busy(PyObject *self_);
PyObject *trace_iter(PyObject *self_);
PyObject *trace_iternext(PyObject *self_);
PyObject *trace_read_packet_into(PyObject *self_, PyObject *packet);

/* What records.c needs of a trace: its source, marked busy (NULL with LibtraceError), its filter
 * (borrowed, or NULL), its snap length, its bounds (borrowed, NULL without), and the way back. */
struct source *trace_borrow(PyObject *trace, PyObject **filter, uint32_t *snaplen,
                            struct bounds **bounds);
void trace_give_back(PyObject *trace, uint64_t accepted);
/* A packet's number and what is wrong with it, as LibtraceError. */
void trace_raise(PyObject *trace, const struct source *source);
/* Give the pending exception as LibtraceError where it is a stream's, not the user's. */
void trace_raise_from(PyObject *trace, const struct source *source);

#endif
