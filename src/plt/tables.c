/* The header tables as data. */
#include "tables.h"

#include "packet/field.h"
#include "packet/property.h"

#include "state.h"

static const struct field_table *const field_tables[] = {
    &arp_table,   &ip_table,      &ip6_table,    &tcp_table,  &udp_table,
    &sctp_table,  &chunk_table,   &icmp_table,   &echo_table, &icmp6_table,
    &echo6_table, &toobig6_table, &param6_table, NULL};

PyObject *field_list(PyObject *module, PyObject *Py_UNUSED(args))
{
    const struct plt_state *state = PyModule_GetState(module);
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && field_tables[i]; i++) {
        const struct field_table *table = field_tables[i];
        for (size_t j = 0; list && table->rows[j]; j++) {
            const struct field *row = table->rows[j];
            PyObject *item = Py_BuildValue(
                "{sO ss ss sz si si si sk sO sO sI}", "type", state->views[table->type], "name",
                row->name, "doc", row->doc, "unit", row->unit, "offset", row->offset, "width",
                row->width, "shift", row->shift, "mask", (unsigned long)row->mask, "is_flag",
                row->is_flag ? Py_True : Py_False, "writable", row->writable ? Py_True : Py_False,
                "low", row->low);
            if (!item || PyList_Append(list, item) < 0)
                Py_CLEAR(list);
            Py_XDECREF(item);
        }
    }
    return list;
}

/* Where IP headers of a version have a property: (offset, bytes), None where they have it not. */
static PyObject *place_of(const struct property *row, uint8_t version)
{
    uint32_t at = 0;
    uint32_t need = 0;
    if (!property_place(row->id, version, &at, &need))
        Py_RETURN_NONE;
    return Py_BuildValue("II", at, need);
}

PyObject *property_list(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(args))
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && all_properties[i]; i++) {
        const struct property *row = all_properties[i];
        PyObject *item =
            Py_BuildValue("{ss ss sz sN sN}", "name", row->name, "doc", row->doc, "unit", row->unit,
                          "ip", place_of(row, 4), "ip6", place_of(row, 6));
        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}
