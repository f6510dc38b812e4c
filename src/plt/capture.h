/* Live capture: how it is configured, and why it does not start. */
#ifndef PLT_CAPTURE_H
#define PLT_CAPTURE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

struct libtrace_filter_t;

struct capture_config {
    struct libtrace_filter_t *filter; /* borrowed, or NULL */
    const char *expression;           /* borrowed, or NULL: the same as text */
    int snaplen;                      /* -1 where not set */
    int promisc;                      /* -1 where not set */
    double timeout;                   /* seconds, 0 for none */
};

/* Raises OSError with a text on why a capture does not start, and with the capability that it needs
 * where this process lacks it; -1. */
int capture_raise(const char *text);

#endif
