/* plt's C interface, for natkit and pldns (common/capi.h). */
#include "api.h"

#include "common/capsule.h"
#include "packetcolumns.h"
#include "records.h"
#include "state.h"
#include "view.h"

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
    const struct frame *packet = frame_packet(frame);
    *out = (struct plt_packet){.data = frame->data,
                               .len = frame->len,
                               .layers = frame_layers(frame),
                               .meta = packet->root == ROOT_LINK ? &packet->meta : NULL};
    return 1;
}

static int packet_cut(const struct plt_api *api, PyObject *obj, uint32_t len)
{
    struct view *view = view_of(api->state, obj);
    struct frame *frame = view ? view->frame : NULL;
    if (!frame || view->type != VIEW_PACKET || frame->root != ROOT_LINK || frame->parent ||
        frame->buffer) {
        PyErr_Format(PyExc_TypeError, "only a packet of a trace can be cut, not %.100s",
                     Py_TYPE(obj)->tp_name);
        return -1;
    }
    if (len >= frame->len)
        return 0;
    if (frame->refs > 1 || frame->pins) { /* others see all of it */
        struct frame *own = frame_copy(frame);
        if (!own)
            return -1;
        own->kind = frame->kind;
        view->frame = own;
        frame_release(frame);
        frame = own;
    }
    frame->len = len;
    if (frame->meta.capture_len > len)
        frame->meta.capture_len = len;
    frame->decoded = false;
    view->end = len;
    return 0;
}

static struct plt_records *open_records(const struct plt_api *api, PyObject *source,
                                        PyObject *filter)
{
    return records_open(api->state, source, filter);
}

int api_add(PyObject *module, struct plt_state *state)
{
    state->api = (struct plt_api){.api_version = PLT_API_VERSION,
                                  .packet_of = packet_of,
                                  .packet_cut = packet_cut,
                                  .records_open = open_records,
                                  .records_next = records_next,
                                  .records_are_read_ahead = records_are_read_ahead,
                                  .records_fill = records_fill,
                                  .records_raise = records_raise,
                                  .records_close = records_close,
                                  .records_traverse = records_traverse,
                                  .batch_types = &state->batch_types,
                                  .records_block = records_block,
                                  .columns_new = packet_columns_new,
                                  .columns_free = packet_columns_free,
                                  .columns_take = packet_columns_take,
                                  .columns_add = packet_columns_add,
                                  .state = state};
    return capsule_offer(module, PLT_CAPSULE, &state->api);
}
