/* Live capture through libpcap. */
#ifndef PLT_PCAPLIVE_H
#define PLT_PCAPLIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

struct capture_config;
struct plt_state;
struct source;

/* The source of a URI pcapint:INTERFACE; NULL with an exception. */
struct source *pcapint_source_new(struct plt_state *state, const char *uri,
                                  const struct capture_config *config);

#endif
