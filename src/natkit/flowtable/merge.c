/* FlowTable.merge(). */
#include "merge.h"

#include "object.h"

#include "flowtable/merge.h"

#include <string.h>

/* Whether two tables sort packets in the same way: 1, 0, or -1 with an exception. */
static int same_settings(const struct flow_table_object *one, const struct flow_table_object *other)
{
    const struct flow_timeouts *timeouts = &one->table.wheel.timeouts;
    const struct flow_timeouts *others = &other->table.wheel.timeouts;
    if (timeouts->idle != others->idle || timeouts->active != others->active ||
        one->table.input.by_vlan != other->table.input.by_vlan ||
        one->table.set.tracks_tcp != other->table.set.tracks_tcp ||
        one->table.set.pool.has_statistics != other->table.set.pool.has_statistics ||
        one->table.set.pool.early != other->table.set.pool.early ||
        one->table.input.decap != other->table.input.decap ||
        memcmp(&one->table.input.ports, &other->table.input.ports,
               sizeof(one->table.input.ports)) != 0)
        return 0;
    if (!one->home || !other->home)
        return one->home == other->home;
    PyObject *prefixes = natkit_attribute(one->home, "prefixes");
    PyObject *other_prefixes = prefixes ? natkit_attribute(other->home, "prefixes") : NULL;
    int same = other_prefixes ? PyObject_RichCompareBool(prefixes, other_prefixes, Py_EQ) : -1;

    Py_XDECREF(other_prefixes);
    Py_XDECREF(prefixes);
    return same;
}

/* Let the handlers of signals run, in the midst of what works without the GIL. */
static bool no_signal_with_gil(void *thread_)
{
    PyThreadState **thread = thread_;
    PyEval_RestoreThread(*thread);
    bool none = PyErr_CheckSignals() == 0;
    *thread = PyEval_SaveThread();
    return none;
}

const char table_merge_doc[] =
    "merge($self, other, exact=False)\n--\n\n"
    "Add the flows of a table of later packets, as if those had been read on in this one.\n\n"
    "Returns whether the result is what reading on would have given. With exact=True nothing\n"
    "is merged if it would not be. The result is exact except in these cases: there are\n"
    "timeouts, and other begins before this table's last packet; a flow goes on across the\n"
    "border for longer than the active timeout; TCP's first segments in other don't tell what\n"
    "was sent before; a fragment in one table has its first fragment in the other; flows that\n"
    "ended were taken out of other; with tcp=True, a TCP connection goes on across the border; "
    "with\n"
    "statistics=True or first, a fragment waits in this table for its first one.\n\n"
    "other stays as it is. ValueError for a table with another home, other timeouts, another\n"
    "vlan, tcp, decap, first or statistics, and for this table itself. An exception of a signal's "
    "handler, such as\n"
    "Ctrl-C, comes before the first flow was added, and both tables are as they were, or when\n"
    "all is done.";

PyObject *table_merge(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    static char other_word[] = "other", exact_word[] = "exact";
    static char *keywords[] = {other_word, exact_word, NULL};
    struct flow_table_object *self = table_object(self_);
    PyObject *other_obj = NULL; /* borrowed from args */
    int only_exact = 0;
    enum flow_merge_result result = MERGE_NO_MEMORY;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|p:merge", keywords, Py_TYPE(self_),
                                     &other_obj, &only_exact))
        return NULL;
    struct flow_table_object *other = table_object(other_obj);
    if (table_object_check(self) < 0 || table_object_check(other) < 0)
        return NULL;
    if (self == other) {
        PyErr_SetString(PyExc_ValueError, "a flow table can't be merged with itself");
        return NULL;
    }
    int same = same_settings(self, other);
    if (same == 0)
        PyErr_SetString(PyExc_ValueError,
                        "the flow tables have other homes or timeouts, or one is by VLAN, has tcp, "
                        "statistics, another first or another decap");
    if (same <= 0)
        return NULL;
    if (!table_object_settled((PyObject *)self) || !table_object_settled(other_obj))
        return NULL;
    PyThreadState *thread = NULL;
    struct flow_patience patience = {.lasts = no_signal_with_gil, .context = &thread};
    self->busy = other->busy = true;
    thread = PyEval_SaveThread();
    result = flow_table_merge(&self->table, &other->table, only_exact != 0, &patience);
    PyEval_RestoreThread(thread);
    self->busy = other->busy = false;
    if (result == MERGE_NO_MEMORY)
        return PyErr_NoMemory();
    return result == MERGE_GIVEN_UP ? NULL : PyBool_FromLong(result == MERGE_EXACT);
}
