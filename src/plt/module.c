/* The module plt._plt: its types, constants and state. */
#include "common/capsule.h"

#include "api.h"
#include "chain.h"
#include "columns.h"
#include "defragmented.h"
#include "formats.h"
#include "libtrace_compat.h"
#include "state.h"
#include "tables.h"
#include "view.h"
#include "where.h"
#include "common/batchtype.h"
#include "common/interpreters.h"

#include <fcntl.h>

/* --- Constants ------------------------------------------------------------------------------- */

struct constant {
    const char *name;
    long value;
};

static const struct constant constants[] = {
    {"TRACE_TYPE_UNKNOWN", TRACE_TYPE_UNKNOWN},
    {"TRACE_TYPE_HDLC_POS", TRACE_TYPE_HDLC_POS},
    {"TRACE_TYPE_ETH", TRACE_TYPE_ETH},
    {"TRACE_TYPE_ATM", TRACE_TYPE_ATM},
    {"TRACE_TYPE_80211", TRACE_TYPE_80211},
    {"TRACE_TYPE_NONE", TRACE_TYPE_NONE},
    {"TRACE_TYPE_LINUX_SLL", TRACE_TYPE_LINUX_SLL},
    {"TRACE_TYPE_PFLOG", TRACE_TYPE_PFLOG},
    {"TRACE_TYPE_POS", TRACE_TYPE_POS},
    {"TRACE_TYPE_80211_PRISM", TRACE_TYPE_80211_PRISM},
    {"TRACE_TYPE_AAL5", TRACE_TYPE_AAL5},
    {"TRACE_TYPE_DUCK", TRACE_TYPE_DUCK},
    {"TRACE_TYPE_80211_RADIO", TRACE_TYPE_80211_RADIO},
    {"TRACE_TYPE_LLCSNAP", TRACE_TYPE_LLCSNAP},
    {"TRACE_TYPE_PPP", TRACE_TYPE_PPP},
    {"TRACE_TYPE_METADATA", TRACE_TYPE_METADATA},
    {"TRACE_TYPE_NONDATA", TRACE_TYPE_NONDATA},
    {"TRACE_TYPE_OPENBSD_LOOP", TRACE_TYPE_OPENBSD_LOOP},
    {"TRACE_DIR_OUTGOING", TRACE_DIR_OUTGOING},
    {"TRACE_DIR_INCOMING", TRACE_DIR_INCOMING},
    {"TRACE_DIR_OTHER", TRACE_DIR_OTHER},
    {"TRACE_DIR_UNKNOWN", TRACE_DIR_UNKNOWN},
    {"NO_COMPRESSION", TRACE_OPTION_COMPRESSTYPE_NONE},
    {"ZLIB_COMPRESSION", TRACE_OPTION_COMPRESSTYPE_ZLIB},
    {"BZIP2_COMPRESSION", TRACE_OPTION_COMPRESSTYPE_BZ2},
    {"LZO_COMPRESSION", TRACE_OPTION_COMPRESSTYPE_LZO},
    {"O_APPEND", O_APPEND},
    {"_KIND_TIME", KIND_TIME},
    {"_KIND_ADDRESS", KIND_ADDRESS},
    {"_KIND_DURATION", KIND_DURATION},
    {"_KIND_TEXT", KIND_TEXT},
    {"_KIND_ADDRESS_TEXT", KIND_ADDRESS_TEXT},
    {"_KIND_ADDRESS_BYTES", KIND_ADDRESS_BYTES},
};

static int add_constants(PyObject *module)
{
    for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    return 0;
}

/* --- Types ----------------------------------------------------------------------------------- */

/* In an order in which each type's parent comes before it. */
static const struct view_entry {
    PyType_Spec *spec;
    enum view_type type;
    enum view_type parent; /* itself where it has none */
} view_entries[] = {
    {&packet_spec, VIEW_PACKET, VIEW_PACKET},
    {&data_spec, VIEW_DATA, VIEW_PACKET},
    {&layer2_spec, VIEW_LAYER2, VIEW_DATA},
    {&layer3_spec, VIEW_LAYER3, VIEW_DATA},
    {&transport_spec, VIEW_TRANSPORT, VIEW_LAYER3},
    {&arp_spec, VIEW_ARP, VIEW_DATA},
    {&internet_spec, VIEW_INTERNET, VIEW_DATA},
    {&ip_spec, VIEW_IP, VIEW_INTERNET},
    {&ip6_spec, VIEW_IP6, VIEW_INTERNET},
    {&tcp_spec, VIEW_TCP, VIEW_INTERNET},
    {&udp_spec, VIEW_UDP, VIEW_INTERNET},
    {&sctp_spec, VIEW_SCTP, VIEW_INTERNET},
    {&chunk_spec, VIEW_CHUNK, VIEW_SCTP},
    {&icmp_spec, VIEW_ICMP, VIEW_IP},
    {&echo_spec, VIEW_ECHO, VIEW_ICMP},
    {&redirect_spec, VIEW_REDIRECT, VIEW_ICMP},
    {&icmp6_spec, VIEW_ICMP6, VIEW_IP6},
    {&echo6_spec, VIEW_ECHO6, VIEW_ICMP6},
    {&toobig6_spec, VIEW_TOOBIG6, VIEW_ICMP6},
    {&param6_spec, VIEW_PARAM6, VIEW_ICMP6},
    {&neighbour6_spec, VIEW_NEIGHBOUR6, VIEW_ICMP6},
};

/* Objects of a type have a word more than those of its parent, which nothing uses: where sizes are
 * equal Python lets a script make an object of one type one of another, by `__class__` or
 * `__bases__`, and each type's code takes for granted what its objects were made with. */
static PyTypeObject *add_type(PyObject *module, const PyType_Spec *spec, PyTypeObject *parent)
{
    PyType_Spec sized = *spec;
    if (parent)
        sized.basicsize = (int)parent->tp_basicsize + (int)sizeof(void *);
    PyObject *type = PyType_FromModuleAndSpec(module, &sized, (PyObject *)parent);
    if (type && PyModule_AddType(module, (PyTypeObject *)type) < 0)
        Py_CLEAR(type);
    return (PyTypeObject *)type;
}

static int add_types(PyObject *module, struct plt_state *state)
{
    for (size_t i = 0; i < sizeof(view_entries) / sizeof(view_entries[0]); i++) {
        const struct view_entry *entry = &view_entries[i];
        PyTypeObject *parent = entry->parent == entry->type ? NULL : state->views[entry->parent];
        PyTypeObject *type = add_type(module, entry->spec, parent);
        state->views[entry->type] = type;
        if (!type)
            return -1;
        if (state->view_size < (size_t)type->tp_basicsize)
            state->view_size = (size_t)type->tp_basicsize;
        /* else it is that of classes made in Python, which looks for what those may have */
        type->tp_dealloc = view_dealloc;
    }
    state->trace_type = add_type(module, &trace_spec, NULL);
    state->filter_type = state->trace_type ? add_type(module, &filter_spec, NULL) : NULL;
    state->where_type =
        state->filter_type ? add_type(module, &where_spec, state->filter_type) : NULL;
    state->output_type = state->where_type ? add_type(module, &output_spec, NULL) : NULL;
    if (!state->output_type || batch_types_add(module, &state->batch_types) < 0)
        return -1;
    state->reader_type = add_type(module, &column_reader_spec, NULL);
    state->defragmented_type =
        state->reader_type ? add_type(module, &defragmented_spec, NULL) : NULL;
    return state->defragmented_type ? 0 : -1;
}

static int add_error(PyObject *module, struct plt_state *state)
{
    state->error = PyErr_NewExceptionWithDoc(
        "plt.LibtraceError",
        "What went wrong with a trace; a subclass of SystemError, as in python-libtrace 1.7.",
        PyExc_SystemError, NULL);
    if (!state->error)
        return -1;
    static const char *const names[] = {"LibtraceError", "libtrace_exc", "plt_exc_libtrace"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (PyModule_AddObjectRef(module, names[i], state->error) < 0)
            return -1;
    return 0;
}

/* --- The module ------------------------------------------------------------------------------ */

static int plt_exec(PyObject *module)
{
    struct plt_state *state = PyModule_GetState(module);
    state->ipp_api = capsule_import("ipp._ipp", IPP_CAPSULE, IPP_API_VERSION, "plt", &state->ipp);
    if (!state->ipp_api)
        return -1;
    /* says why where an interpreter can't have it: of datetime only its C part would be missed */
    PyObject *datetime = PyImport_ImportModule("_datetime");
    state->datetime = datetime ? PyCapsule_Import("datetime.datetime_CAPI", 0) : NULL;
    Py_XDECREF(datetime);
    if (!state->datetime)
        return -1;
    PyObject *tunnel = PyImport_ImportModule("plt._tunnel");
    state->tunnel_type = tunnel ? PyObject_GetAttrString(tunnel, "Tunnel") : NULL;
    Py_XDECREF(tunnel);
    if (!state->tunnel_type)
        return -1;
    if (add_error(module, state) < 0 || add_types(module, state) < 0)
        return -1;
    if (add_constants(module) < 0)
        return -1;
    return api_add(module, state);
}

static void plt_free(void *module)
{
    state_clear(module);
}

static PyMethodDef plt_methods[] = {
    {"_fields", field_list, METH_NOARGS,
     "_fields($module, /)\n--\n\n"
     "The rows of all header tables, a list of dicts: for tests and documentation."},
    {"_properties", property_list, METH_NOARGS,
     "_properties($module, /)\n--\n\n"
     "The properties of packets, a list of dicts: name, doc, unit, ip and ip6 (offset and bytes in "
     "such a header, None where it is no part of it)."},
    {"_formats", format_list, METH_NOARGS,
     "_formats($module, /)\n--\n\n"
     "The formats of traces, a list of dicts: name, read_as and written_as (the names in URIs), "
     "is_file, header (the bytes by which a file that is appended to is known)."},
    {"_recognise", format_recognise, METH_O,
     "_recognise($module, head, /)\n--\n\n"
     "The name of the format of a file that begins with some bytes, None where it is none.\n\n"
     "Where a format has a magic number, 4 bytes tell."},
    {"_chain_of", chain_of, METH_O,
     "_chain_of($module, head, /)\n--\n\n"
     "How the records of a pcap or pcapng file that begins with some bytes follow each other, as a "
     "number for the next two; None where that is not sure."},
    {"_chain_follow", chain_follow, METH_VARARGS,
     "_chain_follow($module, layout, data, at, stop, /)\n--\n\n"
     "Go from block to block of pcapng, from that at an offset of data up to `stop` or beyond the "
     "data: where the next begins, how many packets were passed, and why there is an end: 0 for "
     "that, 1 where its header is cut, 2 for a block that says how to read those after it, 3 for "
     "damage."},
    {"_chain_find", chain_find, METH_VARARGS,
     "_chain_find($module, layout, data, /)\n--\n\n"
     "The offset of what seems to be a record, followed by others to the end of data; or None."},
    {"_column_is_of_record", column_is_of_record, METH_O,
     "_column_is_of_record($module, name, /)\n--\n\n"
     "Whether a column is known from records alone, without a look at packets."},
    {"_column_fields", column_list, METH_NOARGS,
     "_column_fields($module, /)\n--\n\n"
     "The columns that there are: name, struct format, kind, docstring, "
     "whether values can be missing."},
    {.ml_name = NULL}};

static PyModuleDef_Slot plt_slots[] = {MODULE_SLOTS(plt_exec)};

struct PyModuleDef plt_module = {PyModuleDef_HEAD_INIT,
                                 .m_name = "plt._plt",
                                 .m_doc = "Packet traces over WAND's libtrace: the C part of plt.",
                                 .m_size = sizeof(struct plt_state),
                                 .m_methods = plt_methods,
                                 .m_slots = plt_slots,
                                 .m_traverse = state_traverse,
                                 .m_clear = state_clear,
                                 .m_free = plt_free};

PyMODINIT_FUNC PyInit__plt(void);

PyMODINIT_FUNC PyInit__plt(void)
{
    return PyModuleDef_Init(&plt_module);
}
