/* Fails one call of malloc(), read() and their like, the n-th that is made while a function of
 * Python runs: to be preloaded.
 *
 * An allocator of its own stands before the C library's, for all that is in the process: Python
 * (with PYTHONMALLOC=malloc), the modules, libtrace, libpcap, ldns, libcrypto. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT void *inject_call(void *(*call)(void *), void *callable, int kind, long first, long last,
                         int error);
EXPORT long inject_seen(void);
EXPORT long inject_failed(void);
EXPORT long inject_live(void);
EXPORT uintptr_t inject_frame(int call, int depth);
EXPORT void inject_spare(int spare);
EXPORT void inject_note_ways(const uintptr_t *limits, int modules);
EXPORT uint64_t inject_way(long number);
EXPORT void inject_tell_deaths(void (*const *calls)(void), int count);

enum kind { MEMORY, READ, WRITE, OPEN, MMAP, THREAD, CLOSE, SEEK, IOCTL, SOCKET, KINDS };
enum { SHORT = -1, DEEP = 60, KEPT = 4, NOTED = 1 << 18, MODULES = 8 };

static struct {
    atomic_bool armed;
    enum kind kind;
    int error; /* errno's, or SHORT: one byte is read or written, and no error */
    long first;
    long last;
    atomic_long seen;
    atomic_long failed;
    void *frames[KEPT][DEEP]; /* where the first calls that failed were made */
    int depths[KEPT];
} fault;

static atomic_long live; /* blocks of memory that were taken and not given back */
static __thread bool inside;
static __thread bool spared; /* from want of memory: Python begins a thread */

/* Where the project's modules are, and by which way through them calls came, while none failed. */
static struct {
    uintptr_t start[MODULES];
    uintptr_t end[MODULES];
    int modules; /* 0: ways are not asked for */
    uint64_t ways[NOTED];
} noted;

static bool is_of_modules(uintptr_t address)
{
    for (int i = 0; i < noted.modules; i++)
        if (noted.start[i] <= address && address < noted.end[i])
            return true;
    return false;
}

/* The modules' part of the way to here, as one number; 0 where they have none. */
static uint64_t way_to_here(void)
{
    void *frames[DEEP];
    inside = true;
    int depth = backtrace(frames, DEEP);
    inside = false;
    uint64_t way = 0;
    for (int i = 0; i < depth; i++)
        if (is_of_modules((uintptr_t)frames[i]))
            way = (way ^ (uintptr_t)frames[i]) * 0x100000001b3; /* FNV-1's prime */
    return way;
}

/* Whether this call is to fail; sets errno. */
static bool fails(enum kind kind)
{
    if (!atomic_load_explicit(&fault.armed, memory_order_relaxed) || fault.kind != kind || inside ||
        (spared && (kind == MEMORY || kind == MMAP)))
        return false;
    long number = atomic_fetch_add(&fault.seen, 1) + 1;
    if (fault.first == 0 && noted.modules > 0 && number < NOTED)
        noted.ways[number] = way_to_here();
    if (number < fault.first || number > fault.last)
        return false;
    long failed = atomic_fetch_add(&fault.failed, 1);
    inside = true;
    if (failed < KEPT)
        fault.depths[failed] = backtrace(fault.frames[failed], DEEP);
    inside = false;
    if (fault.error != SHORT)
        errno = fault.error;
    return true;
}

/* --- Memory ---------------------------------------------------------------------------------- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

static void *counted(void *block)
{
    if (block)
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return block;
}

EXPORT void *malloc(size_t size)
{
    return fails(MEMORY) ? NULL : counted(__libc_malloc(size));
}

EXPORT void *calloc(size_t count, size_t size)
{
    return fails(MEMORY) ? NULL : counted(__libc_calloc(count, size));
}

EXPORT void free(void *block)
{
    if (block)
        atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    __libc_free(block);
}

EXPORT void *realloc(void *old, size_t size)
{
    if (!old)
        return malloc(size);
    if (size == 0) {
        free(old);
        return NULL;
    }
    return fails(MEMORY) ? NULL : __libc_realloc(old, size);
}

EXPORT void *memalign(size_t alignment, size_t size)
{
    return fails(MEMORY) ? NULL : counted(__libc_memalign(alignment, size));
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

EXPORT int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *found = memalign(alignment, size);
    if (!found)
        return ENOMEM;
    *block = found;
    return 0;
}

/* --- Calls of the system --------------------------------------------------------------------- */

/* The function of this name that is next after this library's. */
#define NEXT(name) ((__typeof__(&name))(uintptr_t)next_of(#name))

static void *next_of(const char *name)
{
    inside = true;
    void *found = dlsym(RTLD_NEXT, name);
    inside = false;
    return found;
}

/* The length that a call gets which is to read or write one byte, or -1 where it is to fail. */
static ssize_t allowed(enum kind kind, size_t size)
{
    if (!fails(kind))
        return (ssize_t)size;
    return fault.error == SHORT && size ? 1 : -1;
}

EXPORT ssize_t read(int fd, void *buffer, size_t size)
{
    ssize_t length = allowed(READ, size);
    return length < 0 ? -1 : NEXT(read)(fd, buffer, (size_t)length);
}

/* Whether a call fails that takes a message: whole or not at all, never a byte of it. */
static bool fails_whole(enum kind kind)
{
    return fails(kind) && fault.error != SHORT;
}

EXPORT ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    return fails_whole(READ) ? -1 : NEXT(recv)(fd, buffer, size, flags);
}

EXPORT ssize_t recvfrom(int fd, void *restrict buffer, size_t size, int flags,
                        struct sockaddr *restrict from, socklen_t *restrict length)
{
    return fails_whole(READ) ? -1 : NEXT(recvfrom)(fd, buffer, size, flags, from, length);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return fails_whole(READ) ? -1 : NEXT(recvmsg)(fd, message, flags);
}

EXPORT ssize_t write(int fd, const void *data, size_t size)
{
    ssize_t length = allowed(WRITE, size);
    return length < 0 ? -1 : NEXT(write)(fd, data, (size_t)length);
}

EXPORT ssize_t send(int fd, const void *data, size_t size, int flags)
{
    return fails_whole(WRITE) ? -1 : NEXT(send)(fd, data, size, flags);
}

/* The mode follows the flags where they create a file. */
#define OPENED(function, flags, ...)                                                               \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                       \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode = va_arg(more, mode_t);                                                               \
        va_end(more);                                                                              \
    }                                                                                              \
    return fails(OPEN) ? -1 : NEXT(function)(__VA_ARGS__, flags, mode)

EXPORT int open(const char *path, int flags, ...)
{
    OPENED(open, flags, path);
}

EXPORT int open64(const char *path, int flags, ...)
{
    OPENED(open64, flags, path);
}

EXPORT int openat(int folder, const char *path, int flags, ...)
{
    OPENED(openat, flags, folder, path);
}

EXPORT int openat64(int folder, const char *path, int flags, ...)
{
    OPENED(openat64, flags, folder, path);
}

EXPORT FILE *fopen(const char *restrict path, const char *restrict mode)
{
    return fails(OPEN) ? NULL : NEXT(fopen)(path, mode);
}

EXPORT FILE *fopen64(const char *restrict path, const char *restrict mode)
{
    return fails(OPEN) ? NULL : NEXT(fopen64)(path, mode);
}

EXPORT void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return fails(MMAP) ? MAP_FAILED : NEXT(mmap)(at, size, protection, flags, fd, offset);
}

EXPORT void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset)
{
    return fails(MMAP) ? MAP_FAILED : NEXT(mmap64)(at, size, protection, flags, fd, offset);
}

struct beginning {
    void *(*run)(void *);
    void *argument;
};

static void *begin_spared(void *beginning_)
{
    struct beginning beginning = *(struct beginning *)beginning_;
    spared = true;
    __libc_free(beginning_);
    return beginning.run(beginning.argument);
}

/* Whether a function is of Python itself, not of a module. */
static bool is_pythons(void *(*function)(void *))
{
    Dl_info one;
    Dl_info python;
    inside = true;
    bool found = dladdr((void *)(uintptr_t)function, &one) &&
                 dladdr(dlsym(RTLD_DEFAULT, "PyObject_CallNoArgs"), &python);
    inside = false;
    return found && one.dli_fbase == python.dli_fbase;
}

/* A thread of Python's is spared until inject_spare(). */
EXPORT int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                          void *(*run)(void *), void *restrict argument)
{
    if (fails(THREAD))
        return EAGAIN;
    if (!is_pythons(run))
        return NEXT(pthread_create)(thread, attributes, run, argument);
    struct beginning *beginning = __libc_malloc(sizeof(*beginning));
    if (!beginning)
        return EAGAIN;
    *beginning = (struct beginning){run, argument};
    int result = NEXT(pthread_create)(thread, attributes, begin_spared, beginning);
    if (result != 0)
        __libc_free(beginning);
    return result;
}

/* The descriptor is closed all the same, as by Linux. */
EXPORT int close(int fd)
{
    int result = NEXT(close)(fd);
    return fails(CLOSE) ? -1 : result;
}

EXPORT off_t lseek(int fd, off_t offset, int whence)
{
    return fails(SEEK) ? -1 : NEXT(lseek)(fd, offset, whence);
}

EXPORT off64_t lseek64(int fd, off64_t offset, int whence)
{
    return fails(SEEK) ? -1 : NEXT(lseek64)(fd, offset, whence);
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
    va_list more;
    va_start(more, request);
    void *argument = va_arg(more, void *);
    va_end(more);
    return fails(IOCTL) ? -1 : NEXT(ioctl)(fd, request, argument);
}

EXPORT int socket(int domain, int type, int protocol)
{
    return fails(SOCKET) ? -1 : NEXT(socket)(domain, type, protocol);
}

EXPORT int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    return fails(IOCTL) ? -1 : NEXT(setsockopt)(fd, level, name, value, length);
}

/* --- What Python calls ----------------------------------------------------------------------- */

/* What CALL, which is PyObject_CallNoArgs(), returns for CALLABLE, while calls FIRST to LAST of a
 * kind fail. */
EXPORT void *inject_call(void *(*call)(void *), void *callable, int kind, long first, long last,
                         int error)
{
    fault.kind = (enum kind)kind;
    fault.first = first;
    fault.last = last;
    fault.error = error;
    atomic_store(&fault.seen, 0);
    atomic_store(&fault.failed, 0);
    atomic_store(&fault.armed, true);
    void *result = call(callable);
    atomic_store(&fault.armed, false);
    return result;
}

/* Whether calls for memory of this thread are spared from now on. */
EXPORT void inject_spare(int spare)
{
    spared = spare != 0;
}

EXPORT long inject_seen(void)
{
    return atomic_load(&fault.seen);
}

EXPORT long inject_failed(void)
{
    return atomic_load(&fault.failed);
}

EXPORT long inject_live(void)
{
    return atomic_load(&live);
}

/* The address of a frame of a call that failed; 0 where there is none. */
EXPORT uintptr_t inject_frame(int call, int depth)
{
    if (call >= KEPT || call >= atomic_load(&fault.failed) || depth >= fault.depths[call])
        return 0;
    return (uintptr_t)fault.frames[call][depth];
}

/* From now on note the ways to calls. LIMITS has the start and end of each module. */
EXPORT void inject_note_ways(const uintptr_t *limits, int modules)
{
    noted.modules = modules < MODULES ? modules : MODULES;
    for (int i = 0; i < noted.modules; i++) {
        noted.start[i] = limits[2 * i];
        noted.end[i] = limits[2 * i + 1];
    }
}

/* The way to a call, the first being 1. */
EXPORT uint64_t inject_way(long number)
{
    return number > 0 && number < NOTED ? noted.ways[number] : 0;
}

/* --- Where the process dies ------------------------------------------------------------------ */

static void (*last_calls[MODULES])(void);
static int last_call_count;

static void write_frames(const char *title, void *const *frames, int depth)
{
    ssize_t written = NEXT(write)(STDERR_FILENO, title, strlen(title));
    (void)written;
    backtrace_symbols_fd(frames, depth, STDERR_FILENO);
}

static void died(int signal_number)
{
    void *frames[DEEP];
    atomic_store(&fault.armed, false);
    inside = true;
    write_frames("died in:\n", frames, backtrace(frames, DEEP));
    for (int i = 0; i < KEPT && i < atomic_load(&fault.failed); i++)
        write_frames("failed in:\n", fault.frames[i], fault.depths[i]);
    signal(signal_number, SIG_DFL);
    alarm(10); /* a lock may be held that the last calls wait for */
    for (int i = 0; i < last_call_count; i++)
        last_calls[i]();
    raise(signal_number);
}

/* Have a process that dies write where, and then make these calls. */
EXPORT void inject_tell_deaths(void (*const *calls)(void), int count)
{
    last_call_count = count < MODULES ? count : MODULES;
    for (int i = 0; i < last_call_count; i++)
        last_calls[i] = calls[i];
    static char stack[1 << 16];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
    sigaltstack(&other, NULL);
    struct sigaction action = {.sa_handler = died, .sa_flags = SA_ONSTACK};
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
        sigaction(deadly[i], &action, NULL);
    void *frames[2]; /* the first time it allocates */
    backtrace(frames, 2);
}
