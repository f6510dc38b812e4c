/* Frames: bytes and their lifetime.  The one idea: frames own bytes, objects view them. */
#ifndef PLT_FRAME_H
#define PLT_FRAME_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

#include "packet/decode.h"

struct plt_state;

/* The buffer of an exporter. */
struct frame_buffer {
    Py_buffer view;
    struct frame_buffer *next; /* owned, or NULL: of those that wait to be released */
};

/* A packet's bytes, their lifetime, and its layers, decoded once.  Not a Python object: counted by
 * its holders under the GIL. */
struct frame {
    Py_ssize_t refs;
    struct plt_state *state; /* borrowed: the views' types keep the module alive */
    uint8_t *data;           /* own memory when neither parent nor buffer is set */
    uint32_t len;
    uint32_t capacity;
    uint32_t pins; /* exported buffers and child frames: data must not move */
    uint8_t kind;  /* enum frame_kind */
    bool readonly;
    bool decoded;
    struct frame *parent;        /* owned, or NULL: data is within the parent's */
    struct frame_buffer *buffer; /* owned, or NULL: data is within an exporter's memory */
    struct plt_meta meta;
    PyObject *comment;  /* owned: str, or NULL */
    uint8_t root;       /* enum plt_root */
    uint8_t root_proto; /* of it: plt_decode's proto */
    struct plt_layers layers;
};

enum frame_kind { FRAME_PACKET, FRAME_STRING, FRAME_COPY };

/* A frame with room for len bytes, its data not set; NULL with an exception. */
struct frame *frame_new(struct plt_state *state, uint32_t len);
/* A frame over part of another's bytes, rooted at a network or transport header. */
struct frame *frame_child(struct frame *parent, uint32_t start, uint32_t end, enum plt_root root,
                          uint8_t proto);
/* A frame over a packet in another one, with a time and lengths of its own. */
struct frame *frame_of_inner(struct frame *parent, const struct plt_record *inner);

/* The frame of the packet that a frame is of or in: one of a trace, or one that came in a tunnel.
 * Of an object made from bytes it is rooted at no link layer. */
static inline struct frame *frame_packet(struct frame *frame)
{
    while (frame && frame->parent && frame->root != ROOT_LINK)
        frame = frame->parent;
    return frame;
}

/* The message about an object that no layer can be made of. */
#define NOT_DATA "Not a Data, Packet or ByteArray object"

/* A frame over the memory of a bytes-like object. */
struct frame *frame_of_buffer(struct plt_state *state, PyObject *exporter, enum plt_root root,
                              uint8_t proto);
/* A frame of a record, the bytes copied: into the frame given (which is consumed), or a new one
 * where that is NULL. */
struct frame *frame_of_record(struct plt_state *state, const struct plt_record *record,
                              struct frame *frame);
/* A private copy of a frame's bytes. */
struct frame *frame_copy(const struct frame *from);
/* Whether a frame's bytes may be changed, else TypeError. */
bool frame_writable(const struct frame *frame, const char *name);
/* Give back what a kept frame does not need of its memory. */
void frame_shrink(struct frame *frame);
void frame_free(struct frame *frame);
/* Find a frame's layers: frame_layers() does it. */
void frame_decode(struct frame *frame);

static inline struct frame *frame_hold(struct frame *frame)
{
    frame->refs++;
    return frame;
}

static inline void frame_release(struct frame *frame)
{
    if (frame && --frame->refs == 0)
        frame_free(frame);
}

/* The layers of a frame, decoded on first use. */
static inline const struct plt_layers *frame_layers(struct frame *frame)
{
    if (!frame->decoded)
        frame_decode(frame);
    return &frame->layers;
}

#endif
