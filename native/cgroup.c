#define _GNU_SOURCE
#include "cgroup.h"
#include "wire.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* Keeps clear of the descriptors that boxes expect at fixed numbers. */
#define FIRST_FD 10
#define PREFIX "resume-run-"
/* Setting a limit costs as much as checking usage, so smaller changes are skipped. */
#define SAME_LIMIT (1u << 20)

/* Where the groups are mounted, and which are ours. Tests simulate version 2 on machines with version 1. */
#ifndef CGROUP_MOUNT
#define CGROUP_MOUNT "/sys/fs/cgroup"
#endif
#ifndef OWN_GROUPS
#define OWN_GROUPS "/proc/self/cgroup"
#endif

static const char *const NAMES[3][CGROUP_FILES] = {
    {0},
    {"cgroup.procs", "memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control", "memory.stat",
     "pids.max", "pids.current", "cpuacct.usage", "memory.kmem.tcp.usage_in_bytes"},
    {"cgroup.procs", "memory.max", "memory.current", "memory.peak", "memory.events", "memory.stat", "pids.max", "pids.current", "cpu.stat",
     NULL /* part of memory.current */},
};
static const int MODES[CGROUP_FILES] = {O_RDWR, O_WRONLY, O_RDONLY, O_RDWR, O_RDONLY, O_RDONLY, O_WRONLY, O_RDONLY, O_RDONLY, O_RDONLY};
/* Version 1 has one hierarchy per controller. Memory is the essential one; the others are optional. */
enum { MEMORY, TASKS, CPU, HIERARCHIES };
static const char *const CONTROLLERS[HIERARCHIES] = {"memory", "pids", "cpuacct"};
static const int HIERARCHY[CGROUP_FILES] = {MEMORY, MEMORY, MEMORY, MEMORY, MEMORY, MEMORY, TASKS, TASKS, CPU, MEMORY};

/* ---- serve ---- */

static char parents[HIERARCHIES][PATH_MAX]; /* "": none; version 2 uses only the first */
static int version = -1;                    /* -1: not determined yet */

/* The groups of a box. `procs`, a descriptor of the first group's file, identifies them elsewhere. */
struct group {
    char *paths[HIERARCHIES];
    int procs, joins[HIERARCHIES]; /* -1: none */
};
static struct group *made;
static size_t nmade;

static int write_text(const char *folder, const char *name, const char *text) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= PATH_MAX) return -1;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t n = write(fd, text, strlen(text));
    close(fd);
    return n < 0 ? -1 : 0;
}

static int has_word(const char *folder, const char *name, const char *word) {
    char path[PATH_MAX], text[1024];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= PATH_MAX) return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    for (char *one = strtok(text, " \n"); one; one = strtok(NULL, " \n"))
        if (strcmp(one, word) == 0) return 1;
    return 0;
}

/* Our own group in /proc/self/cgroup: the line of `controller`, or of version 2 for NULL. Returns 0 or -1. */
static int own_group(const char *controller, const char *mount, char *to, size_t cap) {
    FILE *f = fopen(OWN_GROUPS, "re");
    char line[PATH_MAX + 200];
    int found = -1;
    while (f && found < 0 && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path) continue;
        *path++ = 0;
        controllers++;
        int is_it = !controller && !*controllers;
        for (char *one = strtok(controllers, ","); one && controller; one = strtok(NULL, ","))
            if (strcmp(one, controller) == 0) is_it = 1;
        if (is_it && snprintf(to, cap, "%s%s", mount, strcmp(path, "/") == 0 ? "" : path) < (int)cap) found = 0;
    }
    if (f) fclose(f);
    return found;
}

/* Removes the groups that a killed process left behind. */
static void remove_groups(const char *folder) {
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char path[PATH_MAX];
        if (e->d_type == DT_DIR && e->d_name[0] != '.' && snprintf(path, sizeof path, "%s/%s", folder, e->d_name) < PATH_MAX)
            rmdir(path);
    }
    if (dir) closedir(dir);
    rmdir(folder);
}

static void remove_stale(const char *base) {
    DIR *dir = opendir(base);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char path[PATH_MAX];
        if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) != 0) continue;
        int pid = atoi(e->d_name + strlen(PREFIX));
        if (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH && snprintf(path, sizeof path, "%s/%s", base, e->d_name) < PATH_MAX)
            remove_groups(path);
    }
    if (dir) closedir(dir);
}

/*
 * Version 2 enables no controllers for the children of a group that contains processes. systemd marks a group
 * that is entirely ours (Delegate=yes); in such a group, move the processes to a child.
 */
static int make_room(const char *base) {
    if (has_word(base, "cgroup.subtree_control", "memory")) return 0;
    if (write_text(base, "cgroup.subtree_control", "+memory") == 0) return 0;
    char mark[8], main_group[PATH_MAX], path[PATH_MAX];
    if (getxattr(base, "user.delegate", mark, sizeof mark) != 1 || mark[0] != '1') return -1;
    if (snprintf(main_group, sizeof main_group, "%s/main", base) >= PATH_MAX) return -1;
    if (mkdir(main_group, 0755) < 0 && errno != EEXIST) return -1;
    if (snprintf(path, sizeof path, "%s/cgroup.procs", base) >= PATH_MAX) return -1;
    FILE *f = fopen(path, "re");
    char pid[32];
    while (f && fgets(pid, sizeof pid, f)) write_text(main_group, "cgroup.procs", pid);
    if (f) fclose(f);
    return write_text(base, "cgroup.subtree_control", "+memory");
}

static int make_parent(const char *base, char *to) {
    remove_stale(base);
    /* An existing one was left by a process that had our pid. */
    int fits = snprintf(to, PATH_MAX, "%s/" PREFIX "%d", base, getpid()) < PATH_MAX;
    if (fits && (mkdir(to, 0755) == 0 || errno == EEXIST)) return 0;
    to[0] = 0;
    return -1;
}

static void find_parents(void) {
    char base[PATH_MAX], mount[PATH_MAX];
    version = 0;
    if (own_group("memory", CGROUP_MOUNT "/memory", base, sizeof base) == 0) {
        if (make_parent(base, parents[MEMORY]) < 0) return;
        version = 1;
        for (int i = MEMORY + 1; i < HIERARCHIES; i++) {
            snprintf(mount, sizeof mount, CGROUP_MOUNT "/%s", CONTROLLERS[i]);
            if (own_group(CONTROLLERS[i], mount, base, sizeof base) == 0) make_parent(base, parents[i]);
        }
        return;
    }
    if (own_group(NULL, CGROUP_MOUNT, base, sizeof base) < 0 || !has_word(base, "cgroup.controllers", "memory")) return;
    if (make_room(base) < 0 || make_parent(base, parents[MEMORY]) < 0) return;
    if (write_text(parents[MEMORY], "cgroup.subtree_control", "+memory") == 0) version = 2;
    else cgroups_remove();
    if (version != 2) return;
    /* CPU time is counted without a controller. */
    if (has_word(base, "cgroup.controllers", "pids") && write_text(base, "cgroup.subtree_control", "+pids") == 0)
        write_text(parents[MEMORY], "cgroup.subtree_control", "+pids");
}

static int open_file(const char *folder, int file) {
    char path[PATH_MAX];
    int fd = -1;
    if (folder && NAMES[version][file] && snprintf(path, sizeof path, "%s/%s", folder, NAMES[version][file]) < PATH_MAX) {
        fd = open(path, MODES[file] | O_CLOEXEC);
        /* Kernels before 6.12 do not allow resetting the peak. */
        if (fd < 0 && file == CGROUP_PEAK) fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    /* Kernels before 5.19 have no peak file, and other controllers may be unavailable. */
    if (fd < 0 && (file == CGROUP_PEAK || file >= CGROUP_TASKS_LIMIT)) fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
    if (fd >= 0) close(fd);
    return high;
}

static int open_files(const struct group *group, int files[CGROUP_FILES]) {
    for (int i = 0; i < CGROUP_FILES; i++) {
        files[i] = open_file(group->paths[version == 2 ? MEMORY : HIERARCHY[i]], i);
        if (files[i] >= 0) continue;
        while (i > 0) close(files[--i]);
        return -1;
    }
    return 0;
}

static void remove_group(struct group *group) {
    for (int i = 0; i < HIERARCHIES; i++) {
        if (group->joins[i] >= 0) close(group->joins[i]);
        if (group->paths[i]) rmdir(group->paths[i]);
        free(group->paths[i]);
    }
}

static void make_folders(const char *name, struct group *group) {
    char path[PATH_MAX];
    for (int i = 0; i < HIERARCHIES; i++) {
        group->paths[i] = NULL;
        group->joins[i] = -1;
        if (!parents[i][0] || snprintf(path, sizeof path, "%s/%s", parents[i], name) >= PATH_MAX) continue;
        if (mkdir(path, 0755) < 0 && errno != EEXIST) continue;
        group->paths[i] = strdup(path);
        if (i != MEMORY) group->joins[i] = open_file(path, CGROUP_PROCS);
    }
}

int cgroup_make(const char *name, int files[CGROUP_FILES]) {
    if (version < 0) find_parents();
    if (version <= 0) return 0;
    struct group group;
    make_folders(name, &group);
    if (!group.paths[MEMORY] || open_files(&group, files) < 0) {
        remove_group(&group);
        return 0;
    }
    /* Swapped-out memory is still memory in use, so swapping is turned off. */
    if (version == 1) {
        write_text(group.paths[MEMORY], "memory.swappiness", "0");
        /* TCP buffers are counted apart from other memory, and only if a limit is set, even an unlimited one. */
        write_text(group.paths[MEMORY], "memory.kmem.tcp.limit_in_bytes", "-1");
    } else write_text(group.paths[MEMORY], "memory.swap.max", "0");
    group.procs = files[CGROUP_PROCS];
    made = must_alloc(made, (nmade + 1) * sizeof *made);
    made[nmade++] = group;
    return version;
}

void cgroups_remove(void) {
    for (size_t i = 0; i < nmade; i++) remove_group(&made[i]);
    nmade = 0;
    for (int i = 0; i < HIERARCHIES; i++) {
        if (parents[i][0]) rmdir(parents[i]);
        parents[i][0] = 0;
    }
}

static void join(int procs) {
    /* A box that failed to join notices it and goes without a group. */
    if (procs >= 0 && write(procs, "0", 1) < 0) return;
}

void cgroup_join(int procs) {
    join(procs);
    for (size_t i = 0; i < nmade; i++)
        for (int k = 0; k < HIERARCHIES && made[i].procs == procs; k++) join(made[i].joins[k]);
}

/* ---- a box ---- */

static uint64_t read_number(int fd) {
    char text[64];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0) return 0;
    text[n] = 0;
    return strtoull(text, NULL, 10);
}

/* The number after `key` at the start of a line, or 0 if there is none. */
static uint64_t read_key(int fd, const char *key) {
    static char text[16384];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    size_t length = strlen(key);
    text[n > 0 ? n : 0] = 0;
    for (char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (strncmp(line, key, length) == 0 && line[length] == ' ') return strtoull(line + length + 1, NULL, 10);
    return 0;
}

void cgroup_verify(struct cgroup *c) {
    char text[16];
    if (c->version && pread(c->files[CGROUP_PROCS], text, sizeof text, 0) <= 0) c->version = 0;
}

static void set_limit(struct cgroup *c, uint64_t limit) {
    uint64_t apart = limit > c->limit ? limit - c->limit : c->limit - limit;
    if (limit && c->limit && apart < SAME_LIMIT) return;
    if (!limit && !c->limit) return;
    char text[32];
    if (limit) snprintf(text, sizeof text, "%llu", (unsigned long long)limit);
    else strcpy(text, c->version == 1 ? "-1" : "max");
    if (pwrite(c->files[CGROUP_LIMIT], text, strlen(text), 0) > 0) c->limit = limit;
}

static uint64_t cpu_of_group(const struct cgroup *c) {
    int file = c->files[CGROUP_CPU];
    return c->version == 1 ? read_number(file) : read_key(file, "usage_usec") * 1000;
}

static uint64_t own_cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void set_tasks_limit(struct cgroup *c, uint64_t tasks) {
    uint64_t limit = tasks ? read_number(c->files[CGROUP_TASKS]) + tasks : 0;
    if (limit == c->tasks_limit) return;
    char text[32] = "max";
    if (limit) snprintf(text, sizeof text, "%llu", (unsigned long long)limit);
    if (pwrite(c->files[CGROUP_TASKS_LIMIT], text, strlen(text), 0) > 0) c->tasks_limit = limit;
}

void cgroup_begin(struct cgroup *c, uint64_t limit, uint64_t tasks) {
    if (!c->version) return;
    set_tasks_limit(c, tasks);
    c->cpu = cpu_of_group(c);
    c->own_cpu = own_cpu();
    c->base = read_number(c->files[CGROUP_USAGE]);
    set_limit(c, limit ? c->base + limit : 0);
    c->kills = read_key(c->files[CGROUP_EVENTS], "oom_kill");
    int is_anew = pwrite(c->files[CGROUP_PEAK], "0", 1, 0) > 0;
    c->peak = is_anew ? 0 : read_number(c->files[CGROUP_PEAK]);
}

static uint64_t beyond(uint64_t value, uint64_t base) { return value > base ? value - base : 0; }

static uint64_t bytes_in_use(const struct cgroup *c) { return read_number(c->files[CGROUP_USAGE]) + read_number(c->files[CGROUP_TCP]); }

uint64_t cgroup_usage(const struct cgroup *c) {
    return c->version ? beyond(bytes_in_use(c), c->base) : 0;
}

uint64_t cgroup_peak(struct cgroup *c) {
    if (!c->version) return 0;
    uint64_t peak = read_number(c->files[CGROUP_PEAK]);
    return peak > c->peak ? beyond(peak, c->base) : 0;
}

uint64_t cgroup_file_cache(const struct cgroup *c) {
    int stat = c->files[CGROUP_STAT];
    return beyond(read_key(stat, c->version == 1 ? "cache" : "file"), read_key(stat, "shmem"));
}

uint64_t cgroup_cpu(const struct cgroup *c) {
    return c->version ? beyond(beyond(cpu_of_group(c), c->cpu), own_cpu() - c->own_cpu) : 0;
}

int cgroup_has_killed(const struct cgroup *c) {
    return c->version && read_key(c->files[CGROUP_EVENTS], "oom_kill") > c->kills;
}
