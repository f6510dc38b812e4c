/* What the writers of all formats have in common. */
#include "writer.h"

#include "sink.h"

struct writer *writer_new(size_t size, struct sink *sink,
                          int (*write)(struct writer *self, const struct frame *frame))
{
    struct writer *self = PyMem_Calloc(1, size);
    if (!self) {
        PyErr_NoMemory();
        sink_close(sink);
        return NULL;
    }
    self->write = write;
    self->sink = sink;
    return self;
}

int writer_write(struct writer *self, const struct frame *frame)
{
    return self->write(self, frame);
}

bool writer_failed(const struct writer *self)
{
    return sink_failed(self->sink);
}

int writer_close(struct writer *self)
{
    bool failed = self->finish && self->finish(self) < 0;
    failed = sink_close(self->sink) < 0 || failed;
    PyMem_Free(self);
    return failed ? -1 : 0;
}
