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

/* 1 where a plt.filter accepts these bytes, 0 where not, -1 with the reason in error.  Needs no
 * GIL, but one thread at a time. */
int filter_accepts(PyObject *filter, const uint8_t *data, uint32_t len, const struct plt_meta *meta,
                   char error[SOURCE_ERROR_SIZE]);
/* The same of a record.  Of a mixed source, one of a link type for which the filter cannot be
 * compiled is not accepted, where it can be for another. */
int filter_record(PyObject *filter, const struct source *source, const struct plt_record *record,
                  struct filter_use *use, char error[SOURCE_ERROR_SIZE]);
/* At the end of a trace: whether the filter could be compiled for none of its packets, and why. */
bool filter_was_refused(const struct filter_use *use, char error[SOURCE_ERROR_SIZE]);
/* packet.apply_filter. */
PyObject *packet_apply_filter(PyObject *self_, PyObject *filter);
/* libtrace's filter of a plt.filter, for a trace that filters itself.  Borrowed. */
struct libtrace_filter_t *filter_of(PyObject *filter);
/* Its expression.  Borrowed. */
const char *filter_text(PyObject *filter);
/* Whether an argument of a method is a plt.filter with an expression; else an exception. */
bool filter_check(const struct plt_state *state, PyObject *filter, const char *method);

#endif
