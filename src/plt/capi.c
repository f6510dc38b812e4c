/* What plt offers to the C of other modules (capi.h). */
#include "plt.h"

static int packet_of(const struct plt_api *api, PyObject *obj, struct plt_packet *out)
{
    struct view *view = view_of(api->state, obj);
    if (!view)
        return 0;
    struct frame *frame = view->frame;
    if (!frame) {
        PyErr_SetString(PyExc_ValueError, "nothing was read into this packet");
        return -1;
    }
    const struct frame *packet = frame;
    while (packet->parent)
        packet = packet->parent;
    *out = (struct plt_packet){.data = frame->data,
                               .len = frame->len,
                               .layers = frame_layers(frame),
                               .meta = packet->root == ROOT_LINK ? &packet->meta : NULL};
    return 1;
}

static struct plt_bulk *open_bulk(const struct plt_api *api, PyObject *source, PyObject *filter)
{
    return bulk_open(api->state, source, filter);
}

int capi_add(PyObject *module, struct plt_state *state)
{
    state->api = (struct plt_api){.api_version = PLT_API_VERSION,
                                  .packet_of = packet_of,
                                  .bulk_open = open_bulk,
                                  .bulk_next = bulk_next,
                                  .bulk_fill = bulk_fill,
                                  .bulk_raise = bulk_raise,
                                  .bulk_close = bulk_close,
                                  .state = state};
    PyObject *capsule = PyCapsule_New(&state->api, PLT_CAPSULE, NULL);
    int result = capsule ? PyModule_AddObjectRef(module, "_C_API", capsule) : -1;
    Py_XDECREF(capsule);
    return result;
}
