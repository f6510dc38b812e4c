/* The readers of file formats, by name. */
#include "formats.h"

struct source *source_open_file(const char *format, const char *ahead, size_t ahead_len,
                                PyObject *stream)
{
    struct source *source = NULL;
    if (strcmp(format, "pcap") == 0)
        source = pcap_source_new();
    else if (strcmp(format, "pcapng") == 0)
        source = pcapng_source_new();
    else if (strcmp(format, "erf") == 0)
        source = erf_source_new();
    else
        source = fixed_source_new(format);
    if (!source)
        return NULL;
    if (input_open(&source->input, ahead, ahead_len, stream) == 0)
        return source;
    source->destroy(source);
    return NULL;
}
