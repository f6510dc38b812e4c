/* Memory asked for before it is needed. */
#ifndef PLT_COMMON_PREFETCH_H
#define PLT_COMMON_PREFETCH_H

/* Have a cache line ready, to be changed.  GCC takes a function that does nothing else for one
 * without an effect, and leaves out calls of it: the empty statement is an effect. */
static inline void prefetch(const void *at)
{
    __builtin_prefetch(at, 1);
    __asm__ volatile("");
}

#endif
