/* Batches as Arrow's C data, and what goes into its metadata. */
#ifndef PLT_COMMON_ARROW_H
#define PLT_COMMON_ARROW_H

#include "batch.h"

/* What goes into Arrow's metadata: texts, or NULL for what there is none of. */
struct column_notes {
    const char *doc;
    const char *unit;
    const char *source;
};

/* Every module with columns has this; all NULL for a name that is none of its columns. */
struct column_notes column_notes_of(const char *name);

/* The capsules of Arrow's PyCapsule protocol; NULL with an exception. */
PyObject *arrow_schema(const struct column_info *infos, size_t count);
PyObject *arrow_array(const struct batch *batch);
/* A stream of what an iterable of batches gives. */
PyObject *arrow_stream(PyObject *batches, PyTypeObject *batch_type, const struct column_info *infos,
                       size_t count);

#endif
