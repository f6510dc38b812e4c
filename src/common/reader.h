/* Reads a trace as columns, batch by batch: what the column readers of plt and pldns have in
 * common.  A module adds what a row is: a packet, or a DNS message. */
#ifndef PLT_COMMON_READER_H
#define PLT_COMMON_READER_H

#include "capi.h"
#include "batch.h"

/* The head of a module's reader object; its memory is zeroed by tp_alloc. */
struct column_reader {
    PyObject ob_base;
    const struct plt_api *api;       /* borrowed from plt, which the module keeps alive */
    PyObject *libtrace_error;        /* owned: plt.LibtraceError */
    const struct batch_types *types; /* borrowed from the module's state */
    struct plt_records *records;     /* owned; NULL after the end */
    struct column_info *infos;       /* owned */
    struct column_spares *spares;    /* owned: the memory of batches that were let go of */
    size_t count;
    size_t batch_rows;
    uint8_t address_kind;  /* enum column_kind: of the columns of addresses */
    size_t left;           /* of the limit */
    PyObject *error;       /* owned: to be raised after the batch that came before it, or NULL */
    PyObject *interrupted; /* owned: the batch that an exception came before, or NULL */
    bool *busy;     /* borrowed: that of what it reads into, which several readers may share */
    bool own_busy;  /* where they share nothing */
    bool stopped;   /* by another thread, while this one is busy */
    bool has_begun; /* the first batch was asked for */
    /* Append rows until the batch has so many or takes no more: PLT_RECORD then, else what the
     * trace gave last.  PLT_ERROR with *out_of_memory where there is no memory.  Without the GIL.
     */
    enum plt_records_result (*read_rows)(struct column_reader *self, struct batch *batch,
                                         size_t rows, bool *out_of_memory);
    /* Take column i of the batches by its name, into infos[i] and the module's own; false where
     * there is no such column. */
    bool (*take_column)(struct column_reader *self, size_t i, const char *name);
};

/* Begin to read a source, a plt.trace or what names one; limit is below 0 where there is none.
 * api, libtrace_error, types and the functions are set; 0, or -1 with an exception. */
int column_reader_open(struct column_reader *self, PyObject *source, PyObject *names,
                       PyObject *filter, Py_ssize_t limit, Py_ssize_t batch_rows, int address_kind);
/* For tp_traverse. */
int column_reader_traverse(struct column_reader *self, visitproc visit, void *arg);
/* For tp_clear: let go of what may hold the reader, which is at its end then. */
void column_reader_let_go(struct column_reader *self);
/* Give back what the reader has, in tp_dealloc. */
void column_reader_clear(struct column_reader *self);

/* tp_iternext and tp_methods of the type. */
PyObject *column_reader_next(PyObject *self_);
extern PyMethodDef column_reader_methods[];

/* The names that there are, for a module's _column_fields(): the tuple of a column, to be added to
 * a list; 0, or -1 with an exception. */
int column_list_add(PyObject *list, const struct column_info *info, const char *doc);

#endif
