/*
 * Confines programs where no namespace does, and closes the gaps that namespaces leave: files and signals by
 * Landlock, system calls by a filter. Needs no privileges. What the kernel does not support is left out, which
 * the trial run of src/executor/sandbox/probe.ts reports.
 */
#ifndef CONFINE_H
#define CONFINE_H
#include <stddef.h>

/*
 * Creates a Landlock ruleset: read and execute below `readable`, full access below `writable`. Returns its
 * descriptor, or -1 if the kernel has no Landlock.
 */
int files_ruleset(char **readable, char **writable);
/* Also allows reading a single file, so that a program can open its /dev/stdin. */
void allow_reading(int ruleset, int fd);
/*
 * Allows reading all files below a folder that belongs to us and that nobody else can enter: another user's
 * program still reaches only the files it was given descriptors of. Returns 1, or 0 if the folder is not of
 * that kind.
 */
int allow_reading_below(int ruleset, const char *folder);

enum filter {
    FILTER_INSIDE,  /* in namespaces of its own: refuses only what crosses them */
    FILTER_OTHER,   /* outside, as a user of its own */
    FILTER_AS_US,   /* outside, as our user: may not change the modes of our files either */
};

/* For us and everything we start; needs no_new_privs. `ruleset` may be -1. Returns 0, or -1 with errno. */
int enter_ruleset(int ruleset);
/*
 * The same for system calls; a kernel without filters is not an error. All filters but FILTER_AS_US leave a box
 * the calls that it needs itself.
 */
int enter_filter(enum filter filter);
#endif
