/* The type plt.where: a condition over the columns, as a filter for traces and packets. */
#include "where.h"

#include "where/where.h"

#include "columns.h"
#include "filter.h"
#include "packet/protocols.h"
#include "state.h"
#include "view.h"

#include <string.h>

/* --- Names ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const struct field_table *table;
    uint8_t version; /* of IP, else 0 */
    uint8_t proto;
    uint16_t ethertype;
} headers[] = {
    {"ip", &ip_table, 4, 0, 0},
    {"ip6", &ip6_table, 6, 0, 0},
    {"arp", &arp_table, 0, 0, ETHERTYPE_ARP},
    {"tcp", &tcp_table, 0, PROTO_TCP, 0},
    {"udp", &udp_table, 0, PROTO_UDP, 0},
    {"sctp", &sctp_table, 0, PROTO_SCTP, 0},
    {"icmp", &icmp_table, 0, PROTO_ICMP, 0},
    {"icmp6", &icmp6_table, 0, PROTO_ICMP6, 0},
};

enum { HEADERS = sizeof(headers) / sizeof(headers[0]) };

static void set_header(struct where_name *out, size_t n)
{
    out->version = headers[n].version;
    out->proto = headers[n].proto;
    out->ethertype = headers[n].ethertype;
}

static bool is_tunnel_kind(const struct column_source *source)
{
    return source->property && source->property->id == PROPERTY_TUNNEL_KIND;
}

/* Whether conditions compare a column: no texts but those of MAC addresses and kinds of tunnels. */
static bool is_compared(const struct column_info *info, const struct column_source *source)
{
    bool is_mac = source->property && source->property->is_mac;
    return info->kind != KIND_TEXT || is_mac || is_tunnel_kind(source);
}

/* The column of a name that stands in a text; false where there is none. */
static bool find_column(const char *name, size_t len, struct column_info *info,
                        struct column_source *source)
{
    char text[COLUMN_NAME_SIZE];
    if (len >= sizeof(text))
        return false;
    memcpy(text, name, len);
    text[len] = 0;
    return column_find(text, info, source);
}

static bool is_column(const char *name, size_t len)
{
    struct column_info info;
    struct column_source source;
    return find_column(name, len, &info, &source);
}

static bool find_name(const char *name, size_t len, struct where_name *out)
{
    struct column_info info;
    struct column_source source;
    *out = (struct where_name){.kind = KIND_BOOL};
    for (size_t i = 0; i < HEADERS; i++) {
        if (strlen(headers[i].name) == len && memcmp(headers[i].name, name, len) == 0) {
            out->field = headers[i].table->rows[0];
            out->is_header = true;
            set_header(out, i);
            return true;
        }
    }
    if (!find_column(name, len, &info, &source) || !is_compared(&info, &source))
        return false;
    out->property = source.property;
    out->field = source.field;
    out->kind = info.kind;
    if (source.property && source.property->is_mac) {
        out->kind = KIND_UINT64;
        out->is_mac = true;
    }
    if (is_tunnel_kind(&source)) {
        out->kind = KIND_UINT64;
        out->is_tunnel_kind = true;
    }
    for (size_t i = 0; i < HEADERS && source.field; i++)
        if ((uint8_t)headers[i].table->type == source.layer)
            set_header(out, i);
    return true;
}

/* A new list of the names that a condition knows. */
static PyObject *all_names(void)
{
    PyObject *names = PyList_New(0);
    struct column_info info;
    struct column_source source;
    const char *doc = NULL;
    for (size_t n = 0; names; n++) {
        const char *name = n < HEADERS ? headers[n].name : info.name;
        if (n >= HEADERS && !column_nth(n - HEADERS, &info, &source, &doc))
            break;
        if (n >= HEADERS && !is_compared(&info, &source))
            continue;
        PyObject *item = PyUnicode_FromString(name);
        if (!item || PyList_Append(names, item) < 0)
            Py_CLEAR(names);
        Py_XDECREF(item);
    }
    return names;
}

/* A new str: the names that an unknown one may stand for, "" where there is none. */
static PyObject *near_names(const char *name, size_t len)
{
    PyObject *result = NULL;
    PyObject *names = all_names();
    PyObject *module = names ? PyImport_ImportModule("plt._near") : NULL;
    PyObject *near =
        module ? PyObject_CallMethod(module, "near_names", "s#O", name, (Py_ssize_t)len, names)
               : NULL;
    PyObject *comma = near ? PyUnicode_FromString(", ") : NULL;
    if (comma)
        result = PyUnicode_Join(comma, near);
    Py_XDECREF(comma);
    Py_XDECREF(near);
    Py_XDECREF(module);
    Py_XDECREF(names);
    return result;
}

/* --- Compiling ------------------------------------------------------------------------------- */

/* ValueError with the message, the line of the text that it is about, and marks under the place. */
static void raise_error(const char *text, size_t len, const struct where_error *error)
{
    enum { MARKS_MOST = 60, LINE_MOST = 200 };
    if (error->out_of_memory) {
        PyErr_NoMemory();
        return;
    }
    size_t start = error->at;
    size_t end = start;
    while (start > 0 && text[start - 1] != '\n' && error->at - start < LINE_MOST)
        start--;
    while (end < len && text[end] != '\n' && end - error->at < LINE_MOST)
        end++;
    char marks[LINE_MOST + MARKS_MOST + 1];
    size_t before = error->at - start;
    size_t most = end - error->at < MARKS_MOST ? end - error->at : MARKS_MOST;
    size_t count = error->len == 0 || most == 0 ? 1 : error->len < most ? error->len : most;
    memset(marks, ' ', before);
    memset(marks + before, '^', count);
    marks[before + count] = 0;
    PyObject *line = PyUnicode_DecodeASCII(text + start, (Py_ssize_t)(end - start), NULL);
    PyObject *near = NULL;
    const char *message = error->message;
    if (error->is_unknown_name && is_column(text + error->at, error->len))
        message = "conditions do not compare texts such as this";
    else if (line && error->is_unknown_name)
        near = near_names(text + error->at, error->len);
    if (line && !near && !PyErr_Occurred())
        near = PyUnicode_FromString("");
    if (near) {
        bool has_near = PyUnicode_GetLength(near) > 0;
        PyErr_Format(PyExc_ValueError, "%s%s%U\n    %U\n    %s", message,
                     has_near ? "; near: " : "", near, line, marks);
    }
    Py_XDECREF(line);
    Py_XDECREF(near);
}

static int where_init(PyObject *self_, PyObject *args, PyObject *kwargs)
{
    static char name[] = "condition";
    static char *names[] = {name, NULL};
    struct filter *self = (struct filter *)self_;
    PyObject *expression = NULL;
    struct where_error error;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U:where", names, &expression))
        return -1;
    if (self->expression) /* it does not change: a trace may have it */
        return 0;
    Py_ssize_t len = 0;
    const char *text = filter_expression_text(expression, &len);
    if (!text)
        return -1;
    self->where = where_compile(text, (size_t)len, find_name, &error);
    if (!self->where) {
        raise_error(text, (size_t)len, &error);
        return -1;
    }
    if (filter_keep_expression(self, expression) == 0)
        return 0;
    where_free(self->where);
    self->where = NULL;
    return -1;
}

/* --- Asking ---------------------------------------------------------------------------------- */

static PyObject *where_matches(PyObject *self_, PyObject *packet)
{
    const struct plt_state *state = plt_state_of(Py_TYPE(self_));
    if (!state)
        return NULL;
    const struct view *view = view_of(state, packet);
    if (!view || view->type != VIEW_PACKET) {
        PyErr_Format(PyExc_TypeError, "matches() takes a packet, not %.100s",
                     Py_TYPE(packet)->tp_name);
        return NULL;
    }
    return packet_apply_filter(packet, self_);
}

static PyObject *where_richcompare(PyObject *self_, PyObject *other_, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyObject_TypeCheck(other_, Py_TYPE(self_)))
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *own = ((struct filter *)self_)->expression;
    PyObject *other = ((struct filter *)other_)->expression;
    if (!own || !other)
        return PyBool_FromLong((own == other) == (op == Py_EQ));
    return PyObject_RichCompare(own, other, op);
}

static Py_hash_t where_hash(PyObject *self_)
{
    PyObject *expression = ((struct filter *)self_)->expression;
    return expression ? PyObject_Hash(expression) : 0;
}

static PyObject *where_reduce(PyObject *self_, PyObject *Py_UNUSED(args))
{
    const struct filter *self = (struct filter *)self_;
    return self->expression ? Py_BuildValue("(O(O))", Py_TYPE(self_), self->expression)
                            : Py_BuildValue("(O())", Py_TYPE(self_));
}

static PyObject *where_repr(PyObject *self_)
{
    PyObject *expression = ((struct filter *)self_)->expression;
    return expression ? PyUnicode_FromFormat("plt.where(%R)", expression)
                      : PyUnicode_FromString("plt.where()");
}

static PyMethodDef where_methods[] = {
    {"matches", where_matches, METH_O,
     "matches($self, packet, /)\n--\n\nWhether the condition holds for a packet.\n\nTypeError for "
     "a layer of one, ValueError for a packet into which nothing was read."},
    {"__reduce__", where_reduce, METH_NOARGS, "__reduce__($self, /)\n--\n\nFor pickle and copy."},
    {.ml_name = NULL}};

static PyType_Slot where_slots[] = {
    {Py_tp_doc,
     "where(condition)\n--\n\nA condition on packets in the words of the columns, wherever a "
     "filter "
     "is taken.\n\n\"proto == 6 and dst_port in (80, 443) and src in 192.0.2.0/24\": names are "
     "those of column_fields(), and ip, ip6, tcp, udp, sctp, icmp, icmp6 and arp for a header that "
     "is "
     "there.  A comparison with a value that the packet lacks is false.  ValueError where the "
     "condition is none, with the place and with names near an unknown one."},
    {Py_tp_init, where_init},
    {Py_tp_repr, where_repr},
    {Py_tp_richcompare, where_richcompare},
    {Py_tp_hash, where_hash},
    {Py_tp_methods, where_methods},
    {0, NULL}};

PyType_Spec where_spec = {.name = "plt.where",
                          .basicsize = sizeof(struct filter),
                          .flags =
                              Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
                          .slots = where_slots};
