/* Large zeroed memory: mapped, so that it goes back to the system when it is freed, and has large
 * pages where there are some. */
#define _GNU_SOURCE /* the flags of mmap() and madvise() are not in POSIX */

#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

enum { CACHE_LINE = 64, LARGE = 1 << 16, HUGE_PAGE = 1 << 21 };

#if defined(__linux__) && defined(MADV_HUGEPAGE)

/* Flows are all over the memory: with small pages most accesses would miss the page tables' cache
 * too. */
void *memory_map(size_t size, bool huge)
{
    size_t room = size + HUGE_PAGE;
    uint8_t *memory = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)memory % HUGE_PAGE;
    if (before > 0)
        munmap(memory, before);
    memory += before;
    munmap(memory + size, room - before - size);
    if (huge)
        (void)madvise(memory, size, MADV_HUGEPAGE); /* all works without */
    return memory;
}

void memory_unmap(void *memory, size_t size)
{
    munmap(memory, size);
}

#else

void *memory_map(size_t size, bool huge)
{
    (void)huge;
    void *memory = aligned_alloc(CACHE_LINE, size);
    return memory ? memset(memory, 0, size) : NULL;
}

void memory_unmap(void *memory, size_t size)
{
    (void)size;
    free(memory);
}

#endif

void *memory_new(size_t size)
{
    void *memory =
        size >= LARGE ? memory_map(size, size >= HUGE_PAGE) : aligned_alloc(CACHE_LINE, size);
    if (memory)
        memset(memory, 0, size);
    return memory;
}

void memory_free(void *memory, size_t size)
{
    if (memory && size >= LARGE)
        memory_unmap(memory, size);
    else
        free(memory);
}
