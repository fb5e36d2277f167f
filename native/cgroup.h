/*
 * Control groups, where we may create them: they limit memory and the number of processes, and count memory and
 * CPU time. serve creates one for each place of a box and passes the box descriptors of its files. The box
 * itself has no rights to these files, and programs never receive them.
 */
#ifndef CGROUP_H
#define CGROUP_H
#include <stdint.h>

enum { CGROUP_PROCS, CGROUP_LIMIT, CGROUP_USAGE, CGROUP_PEAK, CGROUP_EVENTS, CGROUP_STAT, CGROUP_TASKS_LIMIT, CGROUP_TASKS, CGROUP_CPU, CGROUP_TCP, CGROUP_FILES };

/*
 * In serve: creates a group for the place `name` and opens its files. Returns the version of control groups (1
 * or 2), or 0 if there are none; `files` is then untouched.
 */
int cgroup_make(const char *name, int files[CGROUP_FILES]);
/* Removes all groups that were created. */
void cgroups_remove(void);
/* In a child of serve: joins the group. */
void cgroup_join(int procs);

/* A group as its box uses it. Sizes are in bytes. */
struct cgroup {
    int version; /* 0: none */
    int files[CGROUP_FILES];
    uint64_t limit; /* as last set; 0: none */
    uint64_t base;  /* in use when the program started */
    uint64_t peak;  /* of earlier runs, if the kernel cannot reset it */
    uint64_t kills; /* counted before the program started */
    uint64_t tasks_limit; /* as last set; 0: none */
    uint64_t cpu, own_cpu; /* of the group, and our own part, when the program started; nanoseconds */
};

/* Checks whether we are in the group, and drops it if we are not. */
void cgroup_verify(struct cgroup *c);
/*
 * Called before a program starts: limits the whole box to `limit` bytes and to `tasks` processes and threads
 * beyond what is in use; 0 means unlimited.
 */
void cgroup_begin(struct cgroup *c, uint64_t limit, uint64_t tasks);
/* CPU nanoseconds of all that has run since then, dead or alive, except ourselves; 0 if not counted. */
uint64_t cgroup_cpu(const struct cgroup *c);
/* Memory in use beyond what was in use before the program started. */
uint64_t cgroup_usage(const struct cgroup *c);
/* The peak of that usage, or 0 if unknown. */
uint64_t cgroup_peak(struct cgroup *c);
/* Cached pages of files on disk, which the kernel reclaims when it needs them. */
uint64_t cgroup_file_cache(const struct cgroup *c);
/* Whether the kernel has killed a process for lack of memory since the program started. */
int cgroup_has_killed(const struct cgroup *c);
#endif
