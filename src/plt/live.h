/* Sources that libtrace reads: live interfaces, rt:, and the formats that only it knows. */
#ifndef PLT_LIVE_H
#define PLT_LIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

struct capture_config;
struct plt_state;
struct source;

struct source *live_source_new(struct plt_state *state, const char *uri,
                               const struct capture_config *config);

#endif
