/* Starts a box, either as a fork of ours or inside bubblewrap. */
#ifndef LAUNCH_H
#define LAUNCH_H
#include "wire.h"
#include <sys/types.h>

struct launch {
    uint8_t kind;
    uint32_t uid;     /* of programs (under bwrap, of the whole sandbox); 0: our own */
    const char *dir;  /* plain boxes: a folder to create, with `src` and `box` in it; "": none */
    char **argv;      /* bwrap and its arguments, with "@files" for the files; the box's command follows */
    uint32_t nfiles;
    struct placed *files;
    int procs; /* of the control group to join; -1: none */
};

struct placed {
    const char *host, *name;
    uint32_t mode;
};

/* Returns the pid, or -1 with errno. `channel` is the box's end; messages of bwrap go to `errors`. */
pid_t launch_box(const struct launch *l, int channel, int errors);
#endif
