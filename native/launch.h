/* Starting a box: as a fork of ours, or inside bubblewrap. */
#ifndef LAUNCH_H
#define LAUNCH_H
#include "wire.h"
#include <sys/types.h>

struct launch {
    uint8_t kind;
    uint32_t uid;     /* programs (under bwrap the whole sandbox) run as this; 0: as we are */
    const char *dir;  /* plain boxes: a folder to make, with `src` and `box` in it; "" for none */
    char **argv;      /* bwrap and its arguments; "@files" stands for the files, the box's command follows */
    uint32_t nfiles;
    struct placed *files;
    int procs; /* of the control group that it joins; -1: none */
};

struct placed {
    const char *host, *name;
    uint32_t mode;
};

/* Starts it; the pid or -1 with errno. `channel` is the box's end, `errors` gets what bwrap has to say. */
pid_t launch_box(const struct launch *l, int channel, int errors);
#endif
