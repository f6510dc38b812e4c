/* Attributes: those that a row of a table describes, and what all others share. */
#ifndef PLT_ATTRIBUTES_H
#define PLT_ATTRIBUTES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#include "packet/field.h"
#include "packet/property.h"
#include "types.h"

struct frame;

/* A header's table is a macro of rows, X(name, docstring, .base = ...): these two make of it the
 * structs and the attributes. */
#define DEFINE_FIELD(id, text, ...)                                                                \
    static const struct field field_##id = {.name = #id, .doc = text, __VA_ARGS__};
#define FIELD_ATTRIBUTE(id, text, ...)                                                             \
    {.name = #id,                                                                                  \
     .get = field_get,                                                                             \
     .set = field_set,                                                                             \
     .doc = (text),                                                                                \
     .closure = (void *)(uintptr_t)&field_##id},
#define FIELD_POINTER(id, ...) &field_##id,
/* The table as a value, for columns, tests and documentation, which find fields by name. */
#define FIELD_TABLE(table, of, ROWS)                                                               \
    static const struct field *const table##_rows[] = {ROWS(FIELD_POINTER) NULL};                  \
    const struct field_table table = {.type = (of), .rows = table##_rows};
/* An attribute that no row describes, read-only. */
#define READONLY(id, getter, text)                                                                 \
    {                                                                                              \
        .name = #id, .get = (getter), .set = attribute_readonly, .doc = (text)                     \
    }

/* An attribute from a row of property.h, read-only. */
#define PROPERTY_ATTRIBUTE(id, getter, text)                                                       \
    {                                                                                              \
        .name = #id, .get = (getter), .set = attribute_readonly, .doc = (text),                    \
        .closure = (void *)(uintptr_t)&property_##id                                               \
    }

/* An attribute from a row of HEADER_PROPERTIES, read-only. */
#define HEADER_ATTRIBUTE(header, id, attribute, text, more, ...)                                   \
    {.name = #attribute,                                                                           \
     .get = header_property_get,                                                                   \
     .set = attribute_readonly,                                                                    \
     .doc = text more ".",                                                                         \
     .closure = (void *)(uintptr_t)&property_##header##_##id},

PyObject *header_property_get(PyObject *self_, void *closure);
/* The bool, int or float of a property's value in a packet. */
PyObject *property_object(const struct frame *frame, const struct property *row, uint64_t value);
PyObject *field_get(PyObject *self_, void *closure);
int field_set(PyObject *self_, PyObject *value, void *closure);
/* The setter of every attribute that has none: TypeError. */
int attribute_readonly(PyObject *self_, PyObject *value, void *closure);
/* The number of an int, or of what stands for one, as those of NumPy: 0, 1 where it has more than
 * 64 bits, -1 with TypeError. */
int attribute_long(PyObject *value, const char *name, long long *number);
/* The int of an assigned value in low..high, -1 with TypeError or ValueError. */
int64_t attribute_int(PyObject *value, const char *name, int64_t low, int64_t high);

#endif
