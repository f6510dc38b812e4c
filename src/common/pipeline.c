/* A second thread that works on what the first one hands it, buffer by buffer. */
#define _GNU_SOURCE /* the processors that a process may use are not in POSIX */

#include "pipeline.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif

enum { BUFFERS = 3 };

struct buffer {
    uint8_t *items; /* owned */
    size_t count;
};

struct pipeline {
    size_t item_size;
    size_t items; /* that a buffer has room for */
    pipeline_work work;
    void *context; /* borrowed */
    pthread_t thread;
    bool running;
    pid_t process;        /* that the thread runs in */
    pthread_mutex_t lock; /* of the next four */
    pthread_cond_t changed;
    size_t given; /* buffers that were handed to the thread, and those it is done with */
    size_t done;
    bool ending;
    bool gave_up;
    /* That of the number given % BUFFERS is the caller's, those from done to given are the
     * thread's. */
    struct buffer buffers[BUFFERS];
};

/* --- The second thread ----------------------------------------------------------------------- */

static void *run(void *pipeline_)
{
    struct pipeline *pipeline = pipeline_;
    pthread_mutex_lock(&pipeline->lock);
    for (;;) {
        while (pipeline->done == pipeline->given && !pipeline->ending)
            pthread_cond_wait(&pipeline->changed, &pipeline->lock);
        if (pipeline->done == pipeline->given)
            break;
        struct buffer *buffer = &pipeline->buffers[pipeline->done % BUFFERS];
        bool goes_on = !pipeline->gave_up;
        pthread_mutex_unlock(&pipeline->lock);
        goes_on = goes_on && pipeline->work(pipeline->context, buffer->items, buffer->count);
        pthread_mutex_lock(&pipeline->lock);
        pipeline->gave_up = !goes_on;
        pipeline->done++;
        pthread_cond_signal(&pipeline->changed);
    }
    pthread_mutex_unlock(&pipeline->lock);
    return NULL;
}

/* --- The caller's ---------------------------------------------------------------------------- */

static bool has_processors(int number)
{
#ifdef __linux__
    cpu_set_t allowed;
    return sched_getaffinity(0, sizeof(allowed), &allowed) != 0 || CPU_COUNT(&allowed) >= number;
#else
    return sysconf(_SC_NPROCESSORS_ONLN) >= number;
#endif
}

static void free_buffers(struct pipeline *pipeline)
{
    for (int i = 0; i < BUFFERS; i++)
        free(pipeline->buffers[i].items);
    free(pipeline);
}

struct pipeline *pipeline_new(size_t item_size, size_t items, int threads)
{
    struct pipeline *pipeline = has_processors(threads) ? calloc(1, sizeof(*pipeline)) : NULL;
    bool enough = pipeline;
    for (int i = 0; i < BUFFERS && enough; i++) {
        pipeline->buffers[i].items = calloc(items, item_size);
        enough = pipeline->buffers[i].items;
    }
    if (enough && pthread_mutex_init(&pipeline->lock, NULL) == 0) {
        pipeline->item_size = item_size;
        pipeline->items = items;
        if (pthread_cond_init(&pipeline->changed, NULL) == 0)
            return pipeline;
        pthread_mutex_destroy(&pipeline->lock);
    }
    if (pipeline)
        free_buffers(pipeline);
    return NULL;
}

void pipeline_free(struct pipeline *pipeline)
{
    if (!pipeline)
        return;
    if (!pipeline->running) { /* else a thread of the parent process is waiting there for ever */
        pthread_cond_destroy(&pipeline->changed);
        pthread_mutex_destroy(&pipeline->lock);
    }
    free_buffers(pipeline);
}

bool pipeline_is_gone(const struct pipeline *pipeline)
{
    return pipeline->running && pipeline->process != getpid();
}

bool pipeline_start(struct pipeline *pipeline, pipeline_work work, void *context)
{
    sigset_t all;
    sigset_t before;
    if (pipeline->running)
        return true;
    pipeline->work = work;
    pipeline->context = context;
    pipeline->given = pipeline->done = 0;
    pipeline->ending = pipeline->gave_up = false;
    pipeline->buffers[0].count = 0;
    sigfillset(&all); /* signals are for Python's threads */
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return false;
    pipeline->process = getpid();
    pipeline->running = pthread_create(&pipeline->thread, NULL, run, pipeline) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pipeline->running;
}

void *pipeline_room(struct pipeline *pipeline, size_t *room)
{
    struct buffer *buffer = &pipeline->buffers[pipeline->given % BUFFERS];
    *room = pipeline->items - buffer->count;
    return buffer->items + buffer->count * pipeline->item_size;
}

/* Give the buffer away, full or not, and wait for the next to be free; false where the work was
 * given up. */
static bool give(struct pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->lock);
    pipeline->given++;
    pthread_cond_signal(&pipeline->changed);
    while (pipeline->given - pipeline->done == BUFFERS)
        pthread_cond_wait(&pipeline->changed, &pipeline->lock);
    bool goes_on = !pipeline->gave_up;
    pthread_mutex_unlock(&pipeline->lock);
    pipeline->buffers[pipeline->given % BUFFERS].count = 0;
    return goes_on;
}

bool pipeline_add(struct pipeline *pipeline, size_t count)
{
    struct buffer *buffer = &pipeline->buffers[pipeline->given % BUFFERS];
    buffer->count += count;
    return buffer->count < pipeline->items || give(pipeline);
}

bool pipeline_finish(struct pipeline *pipeline)
{
    if (!pipeline->running)
        return true;
    bool goes_on = give(pipeline);
    pthread_mutex_lock(&pipeline->lock);
    pipeline->ending = true;
    pthread_cond_signal(&pipeline->changed);
    pthread_mutex_unlock(&pipeline->lock);
    pthread_join(pipeline->thread, NULL);
    pipeline->running = false;
    return goes_on && !pipeline->gave_up;
}
