/* A field getter written by hand, to measure plt's table-driven one against: attach(type) gives a
 * type made of plt's the attribute `dst_port_by_hand`. */
#include "packet/bytes.h"
#include "plt/view.h"

static PyObject *dst_port_by_hand(PyObject *self_, void *Py_UNUSED(closure))
{
    const struct view *self = (struct view *)self_;
    const struct frame *frame = self->frame;
    uint32_t start = frame->layers.transport; /* found when the packet was asked for its layer */
    if (start == PLT_ABSENT || frame->len - start < 4) {
        PyErr_SetString(PyExc_ValueError, "Data too short for dst_port");
        return NULL;
    }
    return PyLong_FromUnsignedLong(load_be16(frame->data + start + 2));
}

static PyGetSetDef attribute = {.name = "dst_port_by_hand", .get = dst_port_by_hand};

static PyObject *attach(PyObject *Py_UNUSED(module), PyObject *type)
{
    PyObject *descriptor = PyDescr_NewGetSet((PyTypeObject *)type, &attribute);
    if (!descriptor)
        return NULL;
    int result = PyObject_SetAttrString(type, attribute.name, descriptor);
    Py_DECREF(descriptor);
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"attach", attach, METH_O, NULL}, {.ml_name = NULL}};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "getter", .m_size = 0,
                                    .m_methods = methods};

PyMODINIT_FUNC PyInit_getter(void);

PyMODINIT_FUNC PyInit_getter(void)
{
    return PyModule_Create(&module);
}
