/* Parsing what from_s() takes, and formatting what str() gives. */
#include "text.h"

#include "object.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "common/iptext.h"

/* --- Parsing --------------------------------------------------------------------------------- */

/* A length in decimal, without sign, blanks or leading zeros ("010" is 8 to some readers and 10 to
 * others, as in an address): its value, -1 when it is not a number, bits + 1 when it is too big. */
static int parse_length(const char *digits, size_t count, int bits)
{
    int length = 0;
    if (count == 0 || (count > 1 && digits[0] == '0'))
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return -1;
        if (length <= bits)
            length = length * 10 + (digits[i] - '0');
    }
    return length <= bits ? length : bits + 1;
}

/* The address in the first size bytes of text: its version, or 0 when it is none. */
static int parse_address(const char *text, size_t size, uint8_t addr[16])
{
    char buffer[INET6_ADDRSTRLEN];
    int version = 4;
    if (size >= sizeof(buffer))
        return 0;
    memcpy(buffer, text, size);
    buffer[size] = '\0';
    /* An embedded NUL would end the text early, and some C libraries take a scope id. */
    if (strspn(buffer, "0123456789abcdefABCDEF:.") != size)
        return 0;
    if (memchr(buffer, ':', size))
        version = 6;
    return inet_pton(version == 4 ? AF_INET : AF_INET6, buffer, addr) == 1 ? version : 0;
}

int ipp_value_parse(PyObject *text, struct ipp_value *out)
{
    struct ipp_value value = {.length = IPP_NO_LENGTH};
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "an address must be a str, not %.100s",
                     Py_TYPE(text)->tp_name);
        return -1;
    }
    if (PyUnicode_IS_ASCII(text)) {
        const char *start = PyUnicode_DATA(text);
        size_t size = (size_t)PyUnicode_GET_LENGTH(text);
        const char *slash = memchr(start, '/', size);
        size_t addr_size = slash ? (size_t)(slash - start) : size;
        value.version = (uint8_t)parse_address(start, addr_size, value.addr);
        if (value.version != 0 && slash) {
            int bits = ipp_bits(value.version);
            int length = parse_length(slash + 1, size - addr_size - 1, bits);
            if (length < 0 || length > bits) {
                PyErr_Format(PyExc_ValueError, "IPv%d length must be 0 to %d: %.100R",
                             value.version, bits, text);
                return -1;
            }
            value.length = (int16_t)length;
        }
    }
    if (value.version == 0) {
        PyErr_Format(PyExc_ValueError, "not an IPv4 or IPv6 address: %.100R", text);
        return -1;
    }
    *out = value;
    return 0;
}

/* --- Formatting ------------------------------------------------------------------------------ */

void ipp_value_format(const struct ipp_value *value, char to[IPP_TEXT_SIZE])
{
    to = value->version == 4 ? put_ipv4(to, value->addr) : put_ipv6(to, value->addr);
    if (value->length != IPP_NO_LENGTH) {
        *to++ = '/';
        to = put_decimal(to, (unsigned)value->length);
    }
    *to = '\0';
}
