/* The trace object, of which trace.c opens, closes and configures, and reading.c reads. */
#ifndef PLT_TRACE_H
#define PLT_TRACE_H

#include "plt.h"

struct trace {
    PyObject ob_base;
    PyObject *uri;         /* owned: str */
    struct source *source; /* owned, or NULL before start() and after close() */
    PyObject *filter;      /* owned: plt.filter, or NULL */
    int snaplen;           /* -1 where not set, 0 for no limit */
    int promisc;
    double timeout; /* seconds, 0 for none */
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

/* Set LibtraceError; NULL. */
PyObject *trace_error(PyObject *self_, const char *text);
/* Give the pending exception as LibtraceError where it is a stream's, not the user's; NULL.
 * format takes the URI, what the exception says, and n. */
PyObject *trace_error_from(struct plt_state *state, const char *format, PyObject *uri,
                           unsigned long long n);

PyObject *trace_iter(PyObject *self_);
PyObject *trace_iternext(PyObject *self_);
PyObject *trace_read_packet_into(PyObject *self_, PyObject *packet);

/* A trace's name, empty at first; false with an exception. */
bool uri_init(PyObject **uri);
/* What __init__() of a trace or an output trace does: take the argument uri where there is no name
 * yet.  1, 0 where the name stays, -1 with an exception; format is PyArg_ParseTupleAndKeywords's.
 */
int uri_take(PyObject **uri, PyObject *args, PyObject *kwargs, const char *format);

#endif
