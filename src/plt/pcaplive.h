/* Live capture through libpcap. */
#ifndef PLT_PCAPLIVE_H
#define PLT_PCAPLIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

struct capture_config;
struct plt_state;
struct source;

/* The source of pcapint:. */
struct source *pcap_live_source_new(struct plt_state *state, const char *device,
                                    const struct capture_config *config);

#endif
