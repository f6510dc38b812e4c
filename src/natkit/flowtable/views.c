/* All flows of a FlowTable: one after another, the largest, as columns. */
#include "views.h"

#include "columns.h"
#include "fields.h"
#include "flow.h"
#include "object.h"

#include <stdlib.h>

struct listed {
    const struct flow_set *set;
    flow_ref *refs; /* owned */
    size_t count;
};

/* The flows of a table, LIST_*: 0, or -1 with an exception. */
static int list_which(PyObject *self_, int which, struct listed *out)
{
    const struct flow_table *table = table_object_complete(self_);
    if (!table)
        return -1;
    out->set = &table->set;
    out->refs = flow_set_list(out->set, which, &out->count);
    if (out->refs)
        return 0;
    PyErr_NoMemory();
    return -1;
}

static int list_flows(PyObject *self_, struct listed *out)
{
    return list_which(self_, LIST_LIVE, out);
}

static struct flow_copy listed_copy(const void *context, size_t n)
{
    const struct listed *listed = context;
    return flow_set_copy(listed->set, listed->refs[n]);
}

static PyObject *columns_of(PyObject *self_, PyObject *args, PyObject *kwargs, int which)
{
    struct flow_table_object *self = table_object(self_);
    struct flow_asked asked;
    struct listed listed;
    if (!flow_columns_asked(args, kwargs, &asked))
        return NULL;
    if (list_which(self_, which, &listed) < 0) {
        Py_DECREF(asked.names);
        return NULL;
    }
    self->busy = true; /* a signal's handler may run */
    PyObject *result = flow_columns_table(self->state, &asked, table_extras(self), listed.count,
                                          listed_copy, &listed);
    self->busy = false;
    free(listed.refs);
    Py_DECREF(asked.names);
    return result;
}

PyObject *table_columns(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    return columns_of(self_, args, kwargs, LIST_LIVE);
}

PyObject *table_all_columns(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    return columns_of(self_, args, kwargs, LIST_LIVE | LIST_ENDED);
}

PyObject *table_stream(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    static char schema_word[] = "requested_schema";
    static char *keywords[] = {schema_word, NULL};
    struct flow_table_object *self = table_object(self_);
    PyObject *schema = NULL;
    struct listed listed;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:__arrow_c_stream__", keywords, &schema) ||
        list_flows(self_, &listed) < 0)
        return NULL;
    self->busy = true;
    PyObject *result =
        flow_columns_stream(self->state, table_extras(self), listed.count, listed_copy, &listed);
    self->busy = false;
    free(listed.refs);
    return result;
}

/* --- The largest ----------------------------------------------------------------------------- */

const char table_top_doc[] =
    "top($self, n, by='bytes')\n--\n\n"
    "The n flows that have most of something: a list of Flow, the most first.\n\n"
    "by is the name of a column that is a number or a time. Of equal ones the flow that began\n"
    "first is first. ValueError for a negative n and for an unknown name.";

/* A flow that may be among the first. */
struct ranked {
    uint64_t order;
    size_t place; /* in the list of all */
};

static bool ranks_before(const struct ranked *one, const struct ranked *other)
{
    return one->order != other->order ? one->order > other->order : one->place < other->place;
}

static int compare_ranks(const void *one, const void *other)
{
    return ranks_before(one, other) ? -1 : ranks_before(other, one);
}

/* What is sorted so is a heap, its first the last in rank. */
static int compare_backwards(const void *one, const void *other)
{
    return compare_ranks(other, one);
}

/* Put a flow into the heap in place of its first. */
static void sift(struct ranked *heap, size_t count, struct ranked item)
{
    size_t at = 0;
    for (size_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && ranks_before(&heap[child], &heap[child + 1]))
            child++;
        if (!ranks_before(&item, &heap[child]))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = item;
}

static PyObject *ranked_list(struct flow_table_object *self, const struct listed *listed, size_t n,
                             int field)
{
    size_t kept = n < listed->count ? n : listed->count;
    struct ranked *heap = malloc((kept + 1) * sizeof(*heap));
    PyObject *list = heap ? PyList_New((Py_ssize_t)kept) : PyErr_NoMemory();
    for (size_t i = 0; list && kept > 0 && i < listed->count; i++) {
        struct flow_copy copy = listed_copy(listed, i);
        struct ranked item = {.order = flow_field_order(field, &copy), .place = i};
        if (i < kept)
            heap[i] = item;
        if (i + 1 == kept && kept < listed->count)
            qsort(heap, kept, sizeof(*heap), compare_backwards);
        if (i >= kept && ranks_before(&item, &heap[0]))
            sift(heap, kept, item);
        if (!flow_patience_lasts(&until_signal, i))
            Py_CLEAR(list);
    }
    if (list && kept > 0)
        qsort(heap, kept, sizeof(*heap), compare_ranks);
    for (size_t i = 0; list && i < kept; i++) {
        struct flow_copy copy = listed_copy(listed, heap[i].place);
        PyObject *flow = flow_object_new(self->state, &copy);
        if (flow)
            PyList_SET_ITEM(list, (Py_ssize_t)i, flow);
        if (!flow || !flow_patience_lasts(&until_signal, i))
            Py_CLEAR(list);
    }
    free(heap);
    return list;
}

PyObject *table_top(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    static char n_word[] = "n", by_word[] = "by";
    static char *keywords[] = {n_word, by_word, NULL};
    PyObject *n_obj = NULL, *by = NULL; /* borrowed from args */
    struct listed listed;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|U:top", keywords, &n_obj, &by))
        return NULL;
    /* a number too large for Py_ssize_t is cut to its limit: all flows, as it would be */
    Py_ssize_t n = PyNumber_AsSsize_t(n_obj, NULL);
    if (n == -1 && PyErr_Occurred())
        return NULL;
    if (n < 0) {
        PyErr_Format(PyExc_ValueError, "n must be 0 or more, not %R", n_obj);
        return NULL;
    }
    PyObject *name = by ? Py_NewRef(by) : PyUnicode_FromString("bytes");
    int field = name ? flow_field_find_order(name, table_extras(table_object(self_))) : -1;
    Py_XDECREF(name);
    if (field < 0 || list_flows(self_, &listed) < 0)
        return NULL;
    struct flow_table_object *self = table_object(self_);
    self->busy = true;
    PyObject *list = ranked_list(self, &listed, (size_t)n, field);
    self->busy = false;
    free(listed.refs);
    return list;
}

/* --- One after another ----------------------------------------------------------------------- */

struct iterator {
    PyObject ob_base;
    PyObject *table;   /* owned */
    flow_ref *refs;    /* owned */
    uint64_t *numbers; /* owned: of the flows, to know them again */
    size_t count;
    size_t next;
};

PyObject *table_iter(PyObject *self_)
{
    const struct natkit_state *state = table_object(self_)->state;
    PyTypeObject *type = state->iterator_type;
    struct listed listed;
    if (!type) {
        PyErr_SetString(PyExc_RuntimeError, "the module natkit has been unloaded");
        return NULL;
    }
    if (list_flows(self_, &listed) < 0)
        return NULL;
    struct iterator *self = (struct iterator *)type->tp_alloc(type, 0);
    uint64_t *numbers = malloc((listed.count + 1) * sizeof(*numbers));
    if (!self || !numbers) {
        free(numbers);
        free(listed.refs);
        Py_XDECREF((PyObject *)self);
        return PyErr_NoMemory();
    }
    for (size_t i = 0; i < listed.count; i++)
        numbers[i] = flow_at(&listed.set->pool, listed.refs[i])->number;
    self->table = Py_NewRef(self_);
    self->refs = listed.refs;
    self->numbers = numbers;
    self->count = listed.count;
    return (PyObject *)self;
}

/* Of a cycle it is the table that lets go: see table_clear(). */
static int iterator_traverse(PyObject *self_, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self_));
    Py_VISIT(((struct iterator *)self_)->table);
    return 0;
}

static void iterator_dealloc(PyObject *self_)
{
    struct iterator *self = (struct iterator *)self_;
    PyTypeObject *type = Py_TYPE(self_);
    PyObject_GC_UnTrack(self_);
    Py_XDECREF(self->table);
    free(self->refs);
    free(self->numbers);
    type->tp_free(self_);
    Py_DECREF(type);
}

static PyObject *iterator_next(PyObject *self_)
{
    struct iterator *self = (struct iterator *)self_;
    struct flow_table_object *owner = table_object(self->table);
    if (table_object_check(owner) < 0)
        return NULL;
    while (self->next < self->count) {
        size_t at = self->next++;
        const struct flow *flow = flow_at(&owner->table.set.pool, self->refs[at]);
        /* it may have ended since, and another flow have its place */
        if (!(flow->marks & MARK_LIVE) || flow->number != self->numbers[at])
            continue;
        struct flow_copy copy = flow_set_copy(&owner->table.set, self->refs[at]);
        return flow_object_new(owner->state, &copy);
    }
    return NULL;
}

static PyType_Slot iterator_slots[] = {
    {.slot = Py_tp_doc,
     .pfunc = (void *)(uintptr_t) "The flows of a FlowTable, one after another."},
    {.slot = Py_tp_dealloc, .pfunc = iterator_dealloc},
    {.slot = Py_tp_traverse, .pfunc = iterator_traverse},
    {.slot = Py_tp_iter, .pfunc = PyObject_SelfIter},
    {.slot = Py_tp_iternext, .pfunc = iterator_next},
    {.slot = 0},
};

PyType_Spec flow_iterator_spec = {
    .name = "natkit._FlowIterator",
    .basicsize = sizeof(struct iterator),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_HAVE_GC,
    .slots = iterator_slots,
};
