/* Large zeroed memory. */
#ifndef PLT_FLOWTABLE_MEMORY_H
#define PLT_FLOWTABLE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed memory, aligned to cache lines, NULL when there is none; freed with its size. */
void *memory_new(size_t size);
void memory_free(void *memory, size_t size);
/* The same from the system page by page: none is used before it is touched.  `huge` asks for large
 * pages. */
void *memory_map(size_t size, bool huge);
void memory_unmap(void *memory, size_t size);

#endif
