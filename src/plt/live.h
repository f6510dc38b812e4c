/* Sources that libtrace reads; NULL with an exception. */
#ifndef PLT_LIVE_H
#define PLT_LIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

struct capture_config;
struct plt_state;
struct source;

/* Interfaces, which need packet sockets. */
struct source *int_source_new(struct plt_state *state, const char *uri,
                              const struct capture_config *config);
struct source *ring_source_new(struct plt_state *state, const char *uri,
                               const struct capture_config *config);
struct source *rt_source_new(struct plt_state *state, const char *uri,
                             const struct capture_config *config);
/* Other live sources. */
struct source *event_source_new(struct plt_state *state, const char *uri,
                                const struct capture_config *config);
/* What libtrace reads packet by packet: files, for the most part. */
struct source *libtrace_source_new(struct plt_state *state, const char *uri,
                                   const struct capture_config *config);

#endif
