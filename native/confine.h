/*
 * What keeps a program in where no namespace does, and closes what namespaces leave open: files and signals by Landlock,
 * system calls by a filter. Needs no privileges; what the kernel does not know is left out, and the trial run of
 * src/executor/sandbox/probe.ts says so.
 */
#ifndef CONFINE_H
#define CONFINE_H
#include <stddef.h>

/*
 * A Landlock ruleset: read and execute below `readable`, everything below `writable`. Its descriptor, or -1 where the
 * kernel has no Landlock.
 */
int files_ruleset(char **readable, char **writable);
/* A file too: so that a program can open its /dev/stdin. */
void allow_reading(int ruleset, int fd);
/*
 * All files below a folder that is ours and nobody else can enter: another user's program gets no further than to those it was given
 * a descriptor of. 1, or 0 where the folder is not such a one.
 */
int allow_reading_below(int ruleset, const char *folder);

enum filter {
    FILTER_INSIDE,  /* in namespaces of its own: only what crosses them */
    FILTER_OTHER,   /* outside, as a user of its own */
    FILTER_AS_US,   /* outside, as our user: nor may it change the modes of our files */
};

/* With no_new_privs set, for us and all that we start. `ruleset` may be -1. 0 or -1 with errno. */
int enter_ruleset(int ruleset);
/* The same for system calls; a kernel without filters is no error. All but FILTER_AS_US leave a box what it needs. */
int enter_filter(enum filter filter);
#endif
