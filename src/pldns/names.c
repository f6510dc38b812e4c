/* Numbers and their names: ldns's names of numbers, and constants for the numbers.
 *
 * The constants are those of IANA's registry "Domain Name System (DNS) Parameters", which names an
 * RFC for each; a dash in a name is an underscore here. */
#include "names.h"

#include <stdio.h>
#include <string.h>

#define TYPE_NAME_SIZE 16

struct constant {
    const char *name;
    int value;
};

/* Resource record (RR) TYPEs */
static const struct constant constants[] = {
    /* RFC 1035 sections 3.2.2 and 3.2.3 */
    {"TYPE_A", 1},
    {"TYPE_NS", 2},
    {"TYPE_MD", 3},
    {"TYPE_MF", 4},
    {"TYPE_CNAME", 5},
    {"TYPE_SOA", 6},
    {"TYPE_MB", 7},
    {"TYPE_MG", 8},
    {"TYPE_MR", 9},
    {"TYPE_NULL", 10},
    {"TYPE_WKS", 11},
    {"TYPE_PTR", 12},
    {"TYPE_HINFO", 13},
    {"TYPE_MINFO", 14},
    {"TYPE_MX", 15},
    {"TYPE_TXT", 16},
    /* RFC 1183 */
    {"TYPE_RP", 17},
    {"TYPE_AFSDB", 18},
    {"TYPE_X25", 19},
    {"TYPE_ISDN", 20},
    {"TYPE_RT", 21},
    /* RFC 1706, RFC 1348 */
    {"TYPE_NSAP", 22},
    {"TYPE_NSAP_PTR", 23},
    /* RFC 2536, RFC 2931 */
    {"TYPE_SIG", 24},
    {"TYPE_KEY", 25},
    /* RFC 2163, RFC 1712 */
    {"TYPE_PX", 26},
    {"TYPE_GPOS", 27},
    /* RFC 3596, RFC 1876, RFC 3755 */
    {"TYPE_AAAA", 28},
    {"TYPE_LOC", 29},
    {"TYPE_NXT", 30},
    /* Nimrod's, and ATM Forum's */
    {"TYPE_EID", 31},
    {"TYPE_NIMLOC", 32},
    {"TYPE_SRV", 33}, /* RFC 2782 */
    {"TYPE_ATMA", 34},
    /* RFC 3403, RFC 2230, RFC 4398, RFC 3226, RFC 6672 */
    {"TYPE_NAPTR", 35},
    {"TYPE_KX", 36},
    {"TYPE_CERT", 37},
    {"TYPE_A6", 38},
    {"TYPE_DNAME", 39},
    {"TYPE_SINK", 40},
    /* RFC 6891, RFC 3123 */
    {"TYPE_OPT", 41},
    {"TYPE_APL", 42},
    /* RFC 4034, RFC 4255, RFC 4025 */
    {"TYPE_DS", 43},
    {"TYPE_SSHFP", 44},
    {"TYPE_IPSECKEY", 45},
    {"TYPE_RRSIG", 46},
    {"TYPE_NSEC", 47},
    {"TYPE_DNSKEY", 48},
    /* RFC 4701, RFC 5155 */
    {"TYPE_DHCID", 49},
    {"TYPE_NSEC3", 50},
    {"TYPE_NSEC3PARAM", 51},
    /* RFC 6698, RFC 8162, RFC 8005 */
    {"TYPE_TLSA", 52},
    {"TYPE_SMIMEA", 53},
    {"TYPE_HIP", 55},
    {"TYPE_NINFO", 56},
    {"TYPE_RKEY", 57},
    {"TYPE_TALINK", 58},
    /* RFC 7344, RFC 7929, RFC 7477, RFC 8976, RFC 9460, RFC 9859 */
    {"TYPE_CDS", 59},
    {"TYPE_CDNSKEY", 60},
    {"TYPE_OPENPGPKEY", 61},
    {"TYPE_CSYNC", 62},
    {"TYPE_ZONEMD", 63},
    {"TYPE_SVCB", 64},
    {"TYPE_HTTPS", 65},
    {"TYPE_DSYNC", 66},
    /* RFC 9886 */
    {"TYPE_HHIT", 67},
    {"TYPE_BRID", 68},
    {"TYPE_SPF", 99}, /* RFC 7208 */
    {"TYPE_UINFO", 100},
    {"TYPE_UID", 101},
    {"TYPE_GID", 102},
    {"TYPE_UNSPEC", 103},
    /* RFC 6742, RFC 7043, RFC 9824 */
    {"TYPE_NID", 104},
    {"TYPE_L32", 105},
    {"TYPE_L64", 106},
    {"TYPE_LP", 107},
    {"TYPE_EUI48", 108},
    {"TYPE_EUI64", 109},
    {"TYPE_NXNAME", 128},
    /* RFC 2930, RFC 8945, RFC 1995, RFC 5936 */
    {"TYPE_TKEY", 249},
    {"TYPE_TSIG", 250},
    {"TYPE_IXFR", 251},
    {"TYPE_AXFR", 252},
    {"TYPE_MAILB", 253},
    {"TYPE_MAILA", 254},
    {"TYPE_ANY", 255},
    /* RFC 7553, RFC 8659 */
    {"TYPE_URI", 256},
    {"TYPE_CAA", 257},
    {"TYPE_AVC", 258},
    {"TYPE_DOA", 259},
    /* RFC 8777, RFC 9606 */
    {"TYPE_AMTRELAY", 260},
    {"TYPE_RESINFO", 261},
    {"TYPE_WALLET", 262},
    {"TYPE_TA", 32768},
    {"TYPE_DLV", 32769}, /* RFC 4431 */

    /* CLASSes: RFC 1035 section 3.2.4, RFC 2136 */
    {"CLASS_IN", 1},
    {"CLASS_CH", 3},
    {"CLASS_HS", 4},
    {"CLASS_NONE", 254},
    {"CLASS_ANY", 255},

    /* OpCodes: RFC 1035 section 4.1.1, RFC 1996, RFC 2136, RFC 8490 */
    {"OPCODE_QUERY", 0},
    {"OPCODE_IQUERY", 1},
    {"OPCODE_STATUS", 2},
    {"OPCODE_NOTIFY", 4},
    {"OPCODE_UPDATE", 5},
    {"OPCODE_DSO", 6},

    /* RCODEs: RFC 1035 section 4.1.1, RFC 2136, RFC 8490; from 16 on those of OPT and TSIG: RFC
     * 6891, RFC 8945, RFC 2930, RFC 7873 */
    {"RCODE_NOERROR", 0},
    {"RCODE_FORMERR", 1},
    {"RCODE_SERVFAIL", 2},
    {"RCODE_NXDOMAIN", 3},
    {"RCODE_NOTIMP", 4},
    {"RCODE_REFUSED", 5},
    {"RCODE_YXDOMAIN", 6},
    {"RCODE_YXRRSET", 7},
    {"RCODE_NXRRSET", 8},
    {"RCODE_NOTAUTH", 9},
    {"RCODE_NOTZONE", 10},
    {"RCODE_DSOTYPENI", 11},
    {"RCODE_BADVERS", 16},
    {"RCODE_BADSIG", 16},
    {"RCODE_BADKEY", 17},
    {"RCODE_BADTIME", 18},
    {"RCODE_BADMODE", 19},
    {"RCODE_BADNAME", 20},
    {"RCODE_BADALG", 21},
    {"RCODE_BADTRUNC", 22},
    {"RCODE_BADCOOKIE", 23},
};

enum { CONSTANTS = sizeof(constants) / sizeof(constants[0]) };

int pldns_add_constants(PyObject *module)
{
    for (size_t i = 0; i < CONSTANTS; i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    return 0;
}

/* The value of an int object from 0 to max: 0, or -1 with TypeError or ValueError. */
static int number_in(PyObject *number, const char *what, long max, unsigned *out)
{
    int overflow = 0;
    long value = PyLong_AsLongAndOverflow(number, &overflow);
    if (value == -1 && PyErr_Occurred())
        return -1;
    if (overflow != 0 || value < 0 || value > max) {
        PyErr_Format(PyExc_ValueError, "%s must be 0 to %ld, not %R", what, max, number);
        return -1;
    }
    *out = (unsigned)value;
    return 0;
}

/* A new str of ldns's new string, which is freed; MemoryError where ldns had none. */
static PyObject *taken(char *text)
{
    if (!text)
        return PyErr_NoMemory();
    PyObject *str = PyUnicode_FromString(text);
    LDNS_FREE(text);
    return str;
}

/* The name of a number in the constants of a kind, "TYPE" or another; NULL where it has none. */
static const char *constant_name(const char *kind, unsigned number)
{
    size_t prefix = strlen(kind);
    for (size_t i = 0; i < CONSTANTS; i++)
        if ((unsigned)constants[i].value == number &&
            strncmp(constants[i].name, kind, prefix) == 0 && constants[i].name[prefix] == '_')
            return constants[i].name + prefix + 1;
    return NULL;
}

/* A new str of ldns's name of a number, else of the constants', else of the kind and the number. */
static PyObject *code_text(ldns_lookup_table *names, const char *kind, unsigned number)
{
    const ldns_lookup_table *row = ldns_lookup_by_id(names, (int)number);
    const char *name = row ? row->name : constant_name(kind, number);
    return name ? PyUnicode_FromString(name) : PyUnicode_FromFormat("%s%u", kind, number);
}

PyObject *pldns_opcodestr(PyObject *Py_UNUSED(module), PyObject *number)
{
    unsigned opcode = 0;
    if (number_in(number, "opcode", 15, &opcode) < 0)
        return NULL;
    return code_text(ldns_opcodes, "OPCODE", opcode);
}

PyObject *pldns_rcodestr(PyObject *Py_UNUSED(module), PyObject *number)
{
    unsigned rcode = 0;
    if (number_in(number, "rcode", UINT16_MAX, &rcode) < 0)
        return NULL;
    return code_text(ldns_rcodes, "RCODE", rcode);
}

static const char *type_name(unsigned type)
{
    return constant_name("TYPE", type);
}

/* Writes a constant's name as the registry has it. */
static void put_dashes(const char *name, char text[TYPE_NAME_SIZE])
{
    snprintf(text, TYPE_NAME_SIZE, "%s", name);
    for (char *at = text; *at != 0; at++)
        if (*at == '_')
            *at = '-';
}

ldns_status pldns_print_type(ldns_buffer *out, unsigned type)
{
    const char *name = type_name(type);
    if (!name)
        return ldns_rr_type2buffer_str(out, (ldns_rr_type)type);
    char text[TYPE_NAME_SIZE];
    put_dashes(name, text);
    ldns_buffer_printf(out, "%s", text);
    return ldns_buffer_status(out);
}

bool pldns_is_misnamed(unsigned type)
{
    const char *name = type_name(type);
    const char *ldns_name = ldns_rr_descript((uint16_t)type)->_name;
    if (!name || !ldns_name || strncmp(ldns_name, "TYPE", 4) == 0)
        return false; /* no name, or none in ldns, which prints TYPE and the number */
    char text[TYPE_NAME_SIZE];
    put_dashes(name, text);
    return strcmp(text, ldns_name) != 0;
}

PyObject *pldns_typestr(PyObject *Py_UNUSED(module), PyObject *number)
{
    unsigned type = 0;
    if (number_in(number, "type", UINT16_MAX, &type) < 0)
        return NULL;
    const char *name = type_name(type);
    if (!name)
        return taken(ldns_rr_type2str((ldns_rr_type)type));
    char text[TYPE_NAME_SIZE];
    put_dashes(name, text);
    return PyUnicode_FromString(text);
}

const char *pldns_status_words(ldns_status status)
{
    const char *words = ldns_get_errorstr_by_id(status);
    return words ? words : "unknown";
}

PyObject *pldns_errorstr(PyObject *Py_UNUSED(self_), PyObject *number)
{
    unsigned status = 0;
    if (number_in(number, "status", UINT16_MAX, &status) < 0)
        return NULL;
    const char *words = ldns_get_errorstr_by_id((ldns_status)status);
    if (!words)
        return PyErr_Format(PyExc_ValueError, "ldns has no status %u", status);
    return PyUnicode_FromString(words);
}
