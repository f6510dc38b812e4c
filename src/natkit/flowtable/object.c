/* Using a FlowTable: not while another thread does, and with all counted that is to be. */
#include "object.h"

int table_object_check(const struct flow_table_object *self)
{
    if (!self->busy)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "the flow table is in use by another thread");
    return -1;
}

struct flow_table *table_object_settled(PyObject *self_)
{
    struct flow_table_object *self = table_object(self_);
    if (table_object_check(self) < 0)
        return NULL;
    if (!flow_table_catch_up(&self->table, false)) {
        PyErr_NoMemory();
        return NULL;
    }
    flow_table_settle(&self->table);
    return &self->table;
}

struct flow_table *table_object_complete(PyObject *self_)
{
    struct flow_table *table = table_object_settled(self_);
    if (table && !flow_table_catch_up(table, true)) {
        PyErr_NoMemory();
        return NULL;
    }
    return table;
}

int table_object_number(struct flow_table_object *self)
{
    if (table_object_check(self) < 0)
        return -1;
    if (!self->table.places && self->table.input.packets > 0) {
        PyErr_SetString(PyExc_RuntimeError, "packets are joined with the flows of a new table");
        return -1;
    }
    self->table.places = &self->places;
    return 0;
}

static bool no_signal(void *context)
{
    (void)context;
    return PyErr_CheckSignals() == 0;
}

const struct flow_patience until_signal = {.lasts = no_signal};
