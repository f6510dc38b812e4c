/* The types Stream and StreamWay: a TCP connection whose bytes were put in order, and one of its
 * two ways. */
#ifndef NATKIT_STREAMS_STREAM_H
#define NATKIT_STREAMS_STREAM_H

#include "natkit/natkit.h"
#include "streams/connections.h"

extern PyType_Spec stream_spec;
extern PyType_Spec stream_way_spec;

/* A Stream of a connection, which it takes ownership of, also where it fails; NULL with an
 * exception. */
PyObject *stream_new(struct natkit_state *state, struct connection *connection,
                     const struct way_limits *limits);

#endif
