/* Why live capture does not start. */
#include "capture.h"

#include "sockets.h"

int capture_raise(const char *text)
{
    if (sockets_may_capture())
        PyErr_SetString(PyExc_OSError, text);
    else
        PyErr_Format(PyExc_OSError, "%s: capturing needs the capability CAP_NET_RAW", text);
    return -1;
}
