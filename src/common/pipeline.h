/* A second thread: one thread finds items, the other works on them, in the same order.  Handing a
 * buffer over takes some microseconds: buffers should be of a hundred or more. */
#ifndef PLT_COMMON_PIPELINE_H
#define PLT_COMMON_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>

struct pipeline;

/* What the second thread does with some items, without Python; false where it gives up: then it is
 * not called again. */
typedef bool (*pipeline_work)(void *context, void *items, size_t count);

/* Buffers of so many items of a size, for one of so many threads that are at work; NULL where these
 * have fewer processors, or where there is no memory. */
struct pipeline *pipeline_new(size_t item_size, size_t items, int threads);
/* After pipeline_finish(), or where the thread is gone. */
void pipeline_free(struct pipeline *pipeline);
/* Whether this process is a child of that in which the thread runs: it must not be waited for, and
 * what it works on may be half done. */
bool pipeline_is_gone(const struct pipeline *pipeline);

/* Begin the thread, if it is not there; false where none is to be had. */
bool pipeline_start(struct pipeline *pipeline, pipeline_work work, void *context);
/* Where to put items, and how many there is room for, at least one. */
void *pipeline_room(struct pipeline *pipeline, size_t *room);
/* So many were put there; false where the work was given up. */
bool pipeline_add(struct pipeline *pipeline, size_t count);
/* Wait until all is done, and end the thread; false where the work was given up. */
bool pipeline_finish(struct pipeline *pipeline);

#endif
