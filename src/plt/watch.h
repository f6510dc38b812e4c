/* Whether the interface that is captured from is still there, and up. */
#ifndef PLT_WATCH_H
#define PLT_WATCH_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

/* What is known of the interface that is captured from: none of the ways to capture tells reliably
 * when it goes down or away. */
struct watch {
    int index;  /* 0 where it is no interface of the system's */
    int fd;     /* owned: a socket to ask through, -1 for none */
    bool ended; /* it was seen down or gone, which is told when no packet is left */
    bool gone;
    char name[64];
};

void watch_open(struct watch *watch, const char *name);
void watch_close(struct watch *watch);
/* Note whether the interface is down or gone.  It is known by its number: names may change. */
void watch_look(struct watch *watch);
/* Note whether the socket fd has an error, and take that from it: reading would print it. */
void watch_socket(struct watch *watch, int fd);
/* OSError, -1, where the interface was seen down or gone when the last packet had been read; else
 * 0. */
int watch_raise(struct watch *watch);

#endif
