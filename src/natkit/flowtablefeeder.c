/* A second thread for a long trace: one reads packets, this one counts them in their flows. */
#include "flowtable.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#ifdef __linux__
#include <sched.h>
#else
#include <unistd.h>
#endif

enum { BUFFERS = 3, BUFFER_BLOCKS = 32 };

struct flow_buffer {
    struct flow_packet packets[BUFFER_BLOCKS * FLOW_BLOCK];
    size_t count;
};

struct flow_feeder {
    struct flow_table *table;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* of all that follows, but for the buffers */
    pthread_cond_t changed;
    unsigned given; /* buffers that were handed to the thread, and those it is done with */
    unsigned done;
    bool ending;
    bool out_of_memory;
    uint64_t ended; /* of the table, when the last buffer was done */
    /* The number given % BUFFERS is the reader's, those from done to given are the thread's. */
    struct flow_buffer buffers[BUFFERS];
};

/* --- Its thread ------------------------------------------------------------------------------- */

static bool feed_buffer(struct flow_table *table, struct flow_buffer *buffer)
{
    bool enough = true;

    for (size_t at = 0; at < buffer->count && enough; at += FLOW_BLOCK) {
        size_t left = buffer->count - at;
        enough =
            flow_table_feed(table, buffer->packets + at, left < FLOW_BLOCK ? left : FLOW_BLOCK);
    }
    return enough;
}

static void *run(void *feeder_)
{
    struct flow_feeder *feeder = feeder_;

    pthread_mutex_lock(&feeder->lock);
    for (;;) {
        while (feeder->done == feeder->given && !feeder->ending)
            pthread_cond_wait(&feeder->changed, &feeder->lock);
        if (feeder->done == feeder->given)
            break;
        struct flow_buffer *buffer = &feeder->buffers[feeder->done % BUFFERS];
        bool enough = !feeder->out_of_memory;
        pthread_mutex_unlock(&feeder->lock);
        enough = enough && feed_buffer(feeder->table, buffer);
        pthread_mutex_lock(&feeder->lock);
        feeder->out_of_memory = !enough;
        feeder->ended = feeder->table->ended;
        feeder->done++;
        pthread_cond_signal(&feeder->changed);
    }
    pthread_mutex_unlock(&feeder->lock);
    return NULL;
}

/* --- The reader's side ------------------------------------------------------------------------ */

static bool has_second_processor(void)
{
#ifdef __linux__
    cpu_set_t allowed;
    return sched_getaffinity(0, sizeof(allowed), &allowed) != 0 || CPU_COUNT(&allowed) > 1;
#else
    return sysconf(_SC_NPROCESSORS_ONLN) > 1;
#endif
}

struct flow_feeder *flow_feeder_new(struct flow_table *table)
{
    struct flow_feeder *feeder = has_second_processor() ? malloc(sizeof(*feeder)) : NULL;

    if (!feeder)
        return NULL;
    feeder->table = table;
    feeder->running = false;
    if (pthread_mutex_init(&feeder->lock, NULL) != 0) {
        free(feeder);
        return NULL;
    }
    if (pthread_cond_init(&feeder->changed, NULL) != 0) {
        pthread_mutex_destroy(&feeder->lock);
        free(feeder);
        return NULL;
    }
    return feeder;
}

void flow_feeder_free(struct flow_feeder *feeder)
{
    if (!feeder)
        return;
    pthread_cond_destroy(&feeder->changed);
    pthread_mutex_destroy(&feeder->lock);
    free(feeder);
}

bool flow_feeder_start(struct flow_feeder *feeder)
{
    sigset_t all;
    sigset_t before;

    if (feeder->running)
        return true;
    feeder->given = feeder->done = 0;
    feeder->ending = feeder->out_of_memory = false;
    feeder->ended = feeder->table->ended;
    feeder->buffers[0].count = 0;
    sigfillset(&all); /* signals are for Python's threads */
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return false;
    feeder->running = pthread_create(&feeder->thread, NULL, run, feeder) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return feeder->running;
}

struct flow_packet *flow_feeder_room(struct flow_feeder *feeder)
{
    struct flow_buffer *buffer = &feeder->buffers[feeder->given % BUFFERS];

    return buffer->packets + buffer->count;
}

/* Give the buffer away, full or not, and wait for the next to be free. */
static void give(struct flow_feeder *feeder)
{
    pthread_mutex_lock(&feeder->lock);
    feeder->given++;
    pthread_cond_signal(&feeder->changed);
    while (feeder->given - feeder->done == BUFFERS)
        pthread_cond_wait(&feeder->changed, &feeder->lock);
    pthread_mutex_unlock(&feeder->lock);
    feeder->buffers[feeder->given % BUFFERS].count = 0;
}

bool flow_feeder_add(struct flow_feeder *feeder, size_t count, uint64_t *ended)
{
    struct flow_buffer *buffer = &feeder->buffers[feeder->given % BUFFERS];
    buffer->count += count;
    if (buffer->count <= (BUFFER_BLOCKS - 1) * FLOW_BLOCK)
        return true;
    give(feeder);
    pthread_mutex_lock(&feeder->lock);
    bool enough = !feeder->out_of_memory;
    *ended = feeder->ended;
    pthread_mutex_unlock(&feeder->lock);
    return enough;
}

bool flow_feeder_finish(struct flow_feeder *feeder)
{
    if (!feeder->running)
        return true;
    pthread_mutex_lock(&feeder->lock);
    feeder->given++;
    feeder->ending = true;
    pthread_cond_signal(&feeder->changed);
    pthread_mutex_unlock(&feeder->lock);
    pthread_join(feeder->thread, NULL);
    feeder->running = false;
    return !feeder->out_of_memory;
}
