/*
 * Control groups, where we may make them: they hold memory and the number of processes, and count memory and CPU time. serve makes one for each place of a box and hands the box descriptors of its
 * files: the box itself has no rights to them, and programs never get them.
 */
#ifndef CGROUP_H
#define CGROUP_H
#include <stdint.h>

enum { CGROUP_PROCS, CGROUP_LIMIT, CGROUP_USAGE, CGROUP_PEAK, CGROUP_EVENTS, CGROUP_STAT, CGROUP_TASKS_LIMIT, CGROUP_TASKS, CGROUP_CPU, CGROUP_TCP, CGROUP_FILES };

/* Of serve: files of a group for the place `name`, and which version they are of (1 or 2). 0: there are none, `files` is untouched. */
int cgroup_make(const char *name, int files[CGROUP_FILES]);
/* Removes all groups that were made. */
void cgroups_remove(void);
/* Of a child of serve: joins the group. */
void cgroup_join(int procs);

/* Of a box. Bytes. */
struct cgroup {
    int version; /* 0: none */
    int files[CGROUP_FILES];
    uint64_t limit; /* as it was set last; 0: none */
    uint64_t base;  /* in use when the program was started */
    uint64_t peak;  /* of runs before, where the kernel cannot begin anew */
    uint64_t kills; /* that it had counted when the program was started */
    uint64_t tasks_limit; /* as it was set last; 0: none */
    uint64_t cpu, own_cpu; /* of the group, and of ourselves in it, when the program was started; nanoseconds */
};

/* Whether we are in it; it is forgotten where we are not. */
void cgroup_verify(struct cgroup *c);
/*
 * Before a program starts: everything of the box together is held to `limit` bytes and `tasks` processes and threads above what
 * is in use; 0: unlimited.
 */
void cgroup_begin(struct cgroup *c, uint64_t limit, uint64_t tasks);
/* CPU time of all that ran since then but ourselves, dead or alive. Nanoseconds; 0 where nobody counts it. */
uint64_t cgroup_cpu(const struct cgroup *c);
/* In use beyond what was in use before the program. */
uint64_t cgroup_usage(const struct cgroup *c);
/* The most that was in use at once, in that way. 0: not known. */
uint64_t cgroup_peak(struct cgroup *c);
/* Pages of files on disk, which the kernel takes back when it needs them. */
uint64_t cgroup_file_cache(const struct cgroup *c);
/* Whether the kernel killed a process since the program started because memory ran out. */
int cgroup_has_killed(const struct cgroup *c);
#endif
