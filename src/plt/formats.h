/* The formats of traces, a row each: names in URIs, readers, writers. */
#ifndef PLT_FORMATS_H
#define PLT_FORMATS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture_config;
struct plt_state;
struct sink;
struct source;
struct writer;

/* A row has a reader of files or, of what libtrace or libpcap reads, a way to open a URI. */
struct format {
    const char *name;
    const char *read_as[3];    /* its names in the URIs of traces, ends with NULL */
    const char *written_as[3]; /* the same of output traces */
    /* Whether a file begins as one of this format does; head holds its first len bytes. */
    bool (*recognise)(const uint8_t *head, size_t len);
    struct source *(*open_file)(void);
    struct source *(*open_uri)(struct plt_state *state, const char *uri,
                               const struct capture_config *config);
    /* A writer that owns the sink from the call on, also where it fails.  header is what a file
     * that is appended to begins with. */
    struct writer *(*open_writer)(struct sink *sink, const uint8_t *header, size_t header_len);
    size_t header; /* the bytes by which a file that is appended to is known */
};

/* The row of a name, NULL where it has none. */
const struct format *format_named(const char *name);
/* The row of a name in the URI of an output trace, which is a str; NULL where it has none. */
const struct format *format_written_as(PyObject *name);
/* A reader of a stream, of which ahead was read already; both are held.  waits_on is as in struct
 * input.  NULL with an exception. */
struct source *format_open_file(const struct format *format, const char *ahead, size_t ahead_len,
                                PyObject *stream, int waits_on);

/* plt._plt._formats() and plt._plt._recognise(). */
PyObject *format_list(PyObject *module, PyObject *args);
PyObject *format_recognise(PyObject *module, PyObject *head);

#endif
