/* The readers of file formats. */
#ifndef PLT_FORMATS_H
#define PLT_FORMATS_H

#include "source.h"

/* Readers of files by name of format; NULL with an exception.  ahead was read of the stream
 * already, which they hold. */
struct source *source_open_file(const char *format, const char *ahead, size_t ahead_len,
                                PyObject *stream);
struct source *pcap_source_new(void);
struct source *pcapng_source_new(void);
struct source *erf_source_new(void);
struct source *fixed_source_new(const char *name);

#endif
