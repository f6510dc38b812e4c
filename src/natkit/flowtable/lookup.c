/* The flow of a key: FlowTable's [] and `in`. */
#include "lookup.h"

#include "flow.h"
#include "key.h"
#include "object.h"

#include "flowtable/hash.h"
#include "natkit/ipflow/attributes.h"

#include <string.h>

/* The flow of a key, an IPflow or a Flow, of either direction: 1 and *ref set where there is one,
 * 0 where not, -1 with an exception. */
static int find_flow(struct flow_table_object *self, PyObject *obj, flow_ref *ref)
{
    struct natkit_key key = {.bytes = {0}};
    uint16_t vlan = 0;
    uint64_t tunnel = 0;
    struct flow_table *table = table_object_complete((PyObject *)self);
    if (!table)
        return -1;
    if (table->input.by_vlan && PyTuple_Check(obj) && PyTuple_GET_SIZE(obj) == 2) {
        long number = PyLong_AsLong(PyTuple_GET_ITEM(obj, 1));
        if (number == -1 && PyErr_Occurred())
            return -1;
        if (number < 0 || number > 0xfff)
            return 0;
        vlan = (uint16_t)number;
        obj = PyTuple_GET_ITEM(obj, 0);
    }
    if (PyObject_TypeCheck(obj, self->state->ipflow_type)) {
        if (!ipflow_key(obj))
            return -1;
        key = *ipflow_key(obj);
    } else if (Py_IS_TYPE(obj, self->state->flow_object_type)) {
        const struct flow_copy *copy = flow_object_copy(obj);
        vlan = copy->of.flow.vlan;
        tunnel = copy->tunnel;
        key = flow_natkit_key(copy, 0);
    } else {
        Py_buffer buffer;
        if (PyObject_GetBuffer(obj, &buffer, PyBUF_SIMPLE) < 0) {
            PyErr_Format(PyExc_TypeError, "flows are looked up by a key or an IPflow, not %.100s",
                         Py_TYPE(obj)->tp_name);
            return -1;
        }
        const uint8_t *bytes = buffer.buf;
        bool is_key = (buffer.len == KEY_SIZE_4 && bytes[KEY_VERSION] == 4) ||
                      (buffer.len == KEY_SIZE_6 && bytes[KEY_VERSION] == 6);
        if (is_key)
            memcpy(key.bytes, bytes, (size_t)buffer.len);
        PyBuffer_Release(&buffer);
        if (!is_key)
            return 0;
    }
    struct flow_key words;
    bool v6 = key.bytes[KEY_VERSION] == 6;
    flow_key_from_natkit(&key, &words);
    if (table->input.by_vlan)
        flow_words_set_vlan(words.words, v6, vlan);
    if (table->input.decap)
        words.tunnel = flow_tunnel_key(tunnel);
    *ref = flow_set_find(&table->set, &words, hash_key(&table->set.index.hash, &words, v6), v6);
    return *ref != 0;
}

int table_contains(PyObject *self_, PyObject *obj)
{
    flow_ref ref = 0;
    return find_flow(table_object(self_), obj, &ref);
}

PyObject *table_subscript(PyObject *self_, PyObject *obj)
{
    struct flow_table_object *self = table_object(self_);
    flow_ref ref = 0;
    int found = find_flow(self, obj, &ref);
    if (found == 0)
        PyErr_SetObject(PyExc_KeyError, obj);
    if (found <= 0)
        return NULL;
    struct flow_copy copy = flow_set_copy(&self->table.set, ref);
    return flow_object_new(self->state, &copy);
}
