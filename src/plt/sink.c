/* Sinks: files that take whole records.
 *
 * Records gather in a buffer, which is handed on as a piece of bytes: to the file, or through a
 * compressor.  A piece is written before the next one is made, so writing can go on where an error
 * or a signal interrupted it.  Where a file can't be ended, because the disk is full, it is cut at
 * the last border: the end of a record, or of a compressed stream.  For that, gzip files are
 * written as several streams, of growing sizes; bzip2's are one, for some programs read no more. */
#include "sink.h"

#include "wait.h"

#include "common/keptexception.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_SIZE = 1 << 16, LEAST_RECORD = 16, FIRST_MEMBER = 1 << 16, LARGEST_MEMBER = 1 << 22 };

struct sink {
    PyObject *file;           /* owned */
    PyObject *new_compressor; /* owned, or NULL */
    PyObject *compressor;     /* owned: of the stream that is being written, or NULL */
    PyObject *piece;          /* owned: bytes that the file is to take, or NULL */
    Py_ssize_t taken;         /* of the piece, by the file */
    off_t start;              /* of the file, when it was opened; -1 where it can't be cut */
    off_t border;             /* bytes up to which all is whole, counted from there */
    off_t written;
    bool members;
    bool broken; /* the compressor lost its place */
    bool failed; /* the last write */
    uint64_t in_member;
    uint64_t member_size;
    uint8_t *buffer; /* owned */
    size_t room;
    size_t used;
    size_t count;                              /* of ends */
    uint32_t ends[BUFFER_SIZE / LEAST_RECORD]; /* of the records in the buffer, then the piece */
};

/* Where the file is going to be written, -1 where it is none that can be cut. */
static off_t start_of(PyObject *file)
{
    struct stat status;
    int fd = PyObject_AsFileDescriptor(file);
    if (fd < 0) {
        PyErr_Clear(); /* not a file of the system */
        return -1;
    }
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return -1;
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && flags & O_APPEND) /* the first write goes there */
        return status.st_size;
    return lseek(fd, 0, SEEK_CUR) == status.st_size ? status.st_size : -1;
}

struct sink *sink_new(PyObject *file, PyObject *new_compressor, bool members)
{
    struct sink *self = PyMem_Calloc(1, sizeof(*self));
    uint8_t *buffer = PyMem_Malloc(BUFFER_SIZE);
    if (!self || !buffer) {
        PyMem_Free(self);
        PyMem_Free(buffer);
        PyErr_NoMemory();
        return NULL;
    }
    self->file = file;
    Py_INCREF(file);
    if (new_compressor != Py_None) {
        self->new_compressor = new_compressor;
        Py_INCREF(new_compressor);
    }
    self->members = members;
    self->member_size = FIRST_MEMBER;
    self->buffer = buffer;
    self->room = BUFFER_SIZE;
    self->start = start_of(file);
    return self;
}

/* --- The file -------------------------------------------------------------------------------- */

/* Wait until a file that does not block takes more; 0, or -1 with an exception. */
static int wait_for_file(struct sink *self)
{
    int fd = PyObject_AsFileDescriptor(self->file);
    return fd < 0 || wait_for_descriptor(fd, POLLOUT, 1) < 0 ? -1 : 0;
}

/* Have the file take a part of the piece; 0, or -1 with an exception. */
static int write_some(struct sink *self)
{
    PyObject *left = self->piece;
    if (self->taken > 0)
        left = PySequence_GetSlice(self->piece, self->taken, PY_SSIZE_T_MAX);
    else
        Py_INCREF(left);
    PyObject *answer = left ? PyObject_CallMethod(self->file, "write", "O", left) : NULL;
    Py_XDECREF(left);
    if (!answer)
        return -1;
    if (answer == Py_None) {
        Py_DECREF(answer);
        return wait_for_file(self);
    }
    Py_ssize_t count = PyLong_AsSsize_t(answer);
    Py_DECREF(answer);
    if (count == -1 && PyErr_Occurred())
        return -1;
    if (count <= 0 || count > PyBytes_GET_SIZE(self->piece) - self->taken) {
        PyErr_SetString(PyExc_OSError, "the file takes no more");
        return -1;
    }
    self->taken += count;
    self->written += count;
    return 0;
}

/* Have the file take the whole piece; 0, or -1 with an exception. */
static int write_piece(struct sink *self)
{
    if (!self->piece)
        return 0;
    self->failed = true; /* unless it gets by here */
    while (self->taken < PyBytes_GET_SIZE(self->piece))
        if (write_some(self) < 0)
            return -1;
    self->failed = false;
    Py_CLEAR(self->piece);
    self->taken = 0;
    self->count = 0;
    if (!self->compressor)
        self->border = self->written;
    return 0;
}

/* --- Pieces ---------------------------------------------------------------------------------- */

/* End a compressed stream: append what is left of it to a piece, which becomes NULL, with an
 * exception, where that fails. */
static void end_member(struct sink *self, PyObject **piece)
{
    PyObject *rest = *piece ? PyObject_CallMethod(self->compressor, "flush", NULL) : NULL;
    Py_CLEAR(self->compressor);
    if (rest)
        PyBytes_ConcatAndDel(piece, rest);
    else
        Py_CLEAR(*piece);
    self->in_member = 0;
    if (self->member_size < LARGEST_MEMBER)
        self->member_size *= 2;
}

/* What the compressor makes of a chunk, which is consumed, and may be NULL; NULL with an
 * exception. */
static PyObject *compressed(struct sink *self, PyObject *chunk)
{
    PyObject *piece = NULL;
    if (chunk && !self->compressor)
        self->compressor = PyObject_CallNoArgs(self->new_compressor);
    if (chunk && self->compressor) {
        self->broken = true; /* unless it gets by here */
        piece = PyObject_CallMethod(self->compressor, "compress", "O", chunk);
        self->in_member += (uint64_t)PyBytes_GET_SIZE(chunk);
        if (piece && self->members && self->in_member >= self->member_size)
            end_member(self, &piece);
        if (piece && !PyBytes_Check(piece)) {
            PyErr_SetString(PyExc_TypeError, "a compressor gives bytes");
            Py_CLEAR(piece);
        }
        self->broken = piece == NULL;
    }
    Py_XDECREF(chunk);
    return piece;
}

/* Write all that was gathered; 0, or -1 with an exception. */
static int flush(struct sink *self)
{
    if (self->broken) {
        PyErr_SetString(PyExc_OSError, "nothing can be added after an error of the compressor");
        return -1;
    }
    if (write_piece(self) < 0)
        return -1;
    if (self->used == 0)
        return 0;
    PyObject *piece = PyBytes_FromStringAndSize((const char *)self->buffer, (Py_ssize_t)self->used);
    if (self->new_compressor)
        piece = compressed(self, piece);
    if (!piece)
        return -1;
    self->piece = piece;
    self->used = 0;
    return write_piece(self);
}

static int set_room(struct sink *self, size_t room)
{
    uint8_t *buffer = PyMem_Realloc(self->buffer, room);
    if (!buffer) {
        PyErr_NoMemory();
        return -1;
    }
    self->buffer = buffer;
    self->room = room;
    return 0;
}

uint8_t *sink_record(struct sink *self, size_t len)
{
    bool full = self->used + len > BUFFER_SIZE || self->count == BUFFER_SIZE / LEAST_RECORD;
    if ((full || self->piece || self->broken) && flush(self) < 0)
        return NULL;
    if (self->used + len > self->room && set_room(self, self->used + len) < 0)
        return NULL;
    uint8_t *record = self->buffer + self->used;
    self->used += len;
    self->ends[self->count++] = (uint32_t)self->used;
    return record;
}

bool sink_failed(const struct sink *self)
{
    return self->failed || self->broken;
}

/* --- The end --------------------------------------------------------------------------------- */

/* Cut the file at the last border, unless somebody else writes to it too. */
static void cut(struct sink *self)
{
    struct stat status;
    off_t whole = self->border;
    if (!self->new_compressor)
        for (size_t i = 0; i < self->count && self->ends[i] <= (size_t)self->taken; i++)
            whole = self->border + (off_t)self->ends[i];
    if (self->start < 0 || (self->new_compressor && !self->members) || whole == self->written)
        return;
    int fd = PyObject_AsFileDescriptor(self->file);
    if (fd < 0 || fstat(fd, &status) < 0 || status.st_size != self->start + self->written ||
        ftruncate(fd, self->start + whole) < 0)
        PyErr_Clear(); /* the half record stays; what is raised is why it is there */
}

/* Write what is left; 0, or -1 with an exception. */
static int finish(struct sink *self)
{
    if (flush(self) < 0)
        return -1;
    if (!self->new_compressor || (!self->compressor && (self->written > 0 || self->start > 0)))
        return 0;
    if (!self->compressor && !(self->compressor = PyObject_CallNoArgs(self->new_compressor)))
        return -1;
    self->piece = PyBytes_FromStringAndSize(NULL, 0);
    end_member(self, &self->piece);
    return self->piece ? write_piece(self) : -1;
}

int sink_close(struct sink *self)
{
    PyObject *error = exception_take();
    if (finish(self) < 0) {
        if (error)
            PyErr_Clear();
        else
            error = exception_take();
        cut(self);
    }
    PyObject *closed = PyObject_CallMethod(self->file, "close", NULL);
    if (!closed && error)
        PyErr_Clear();
    bool failed = error || !closed;
    Py_XDECREF(closed);
    if (error)
        exception_restore(error);
    Py_DECREF(self->file);
    Py_XDECREF(self->new_compressor);
    Py_XDECREF(self->compressor);
    Py_XDECREF(self->piece);
    PyMem_Free(self->buffer);
    PyMem_Free(self);
    return failed ? -1 : 0;
}
