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
#include <unistd.h>

/* Away from the descriptors that boxes get by number. */
#define FIRST_FD 10
#define PREFIX "resume-run-"
/* Setting a limit costs as much as a look: small differences are not worth it. */
#define SAME_LIMIT (1u << 20)

static const char *const NAMES[3][CGROUP_FILES] = {
    {0},
    {"cgroup.procs", "memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control", "memory.stat"},
    {"cgroup.procs", "memory.max", "memory.current", "memory.peak", "memory.events", "memory.stat"},
};
static const int MODES[CGROUP_FILES] = {O_RDWR, O_WRONLY, O_RDONLY, O_RDWR, O_RDONLY, O_RDONLY};

/* ---- serve ---- */

static char parent[PATH_MAX]; /* "": none */
static int version = -1;      /* -1: not looked for yet */
static char **made;
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

/* Our group by /proc/self/cgroup: the line of `controller`, or of version 2 for NULL. 0 or -1. */
static int own_group(const char *controller, const char *mount, char *to, size_t cap) {
    FILE *f = fopen("/proc/self/cgroup", "re");
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

/* What a process that was killed left of its groups. */
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
 * Version 2 gives no controllers to the children of a group that holds processes. systemd marks a group that is all ours
 * (Delegate=yes): there they move to a child.
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

static int make_parent(const char *base) {
    remove_stale(base);
    if (snprintf(parent, sizeof parent, "%s/" PREFIX "%d", base, getpid()) < PATH_MAX && mkdir(parent, 0755) == 0) return 0;
    parent[0] = 0;
    return -1;
}

static void find_parent(void) {
    char base[PATH_MAX];
    version = 0;
    if (own_group("memory", "/sys/fs/cgroup/memory", base, sizeof base) == 0) {
        if (make_parent(base) == 0) version = 1;
        return;
    }
    if (own_group(NULL, "/sys/fs/cgroup", base, sizeof base) < 0 || !has_word(base, "cgroup.controllers", "memory")) return;
    if (make_room(base) < 0 || make_parent(base) < 0) return;
    if (write_text(parent, "cgroup.subtree_control", "+memory") == 0) version = 2;
    else cgroups_remove();
}

static int open_files(const char *folder, int files[CGROUP_FILES]) {
    for (int i = 0; i < CGROUP_FILES; i++) {
        char path[PATH_MAX];
        int fd = -1;
        if (snprintf(path, sizeof path, "%s/%s", folder, NAMES[version][i]) < PATH_MAX) {
            fd = open(path, MODES[i] | O_CLOEXEC);
            /* Kernels before 6.12 let nobody begin the peak anew. */
            if (fd < 0 && i == CGROUP_PEAK) fd = open(path, O_RDONLY | O_CLOEXEC);
            /* And those before 5.19 have none. */
            if (fd < 0 && i == CGROUP_PEAK) fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        }
        int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
        if (fd >= 0) close(fd);
        if (high < 0) {
            while (i > 0) close(files[--i]);
            return -1;
        }
        files[i] = high;
    }
    return 0;
}

int cgroup_make(const char *name, int files[CGROUP_FILES]) {
    char path[PATH_MAX];
    if (version < 0) find_parent();
    if (version <= 0 || snprintf(path, sizeof path, "%s/%s", parent, name) >= PATH_MAX) return 0;
    if (mkdir(path, 0755) < 0 && errno != EEXIST) return 0;
    /* Memory that is swapped out is memory all the same. */
    if (version == 1) write_text(path, "memory.swappiness", "0");
    else write_text(path, "memory.swap.max", "0");
    if (open_files(path, files) < 0) {
        rmdir(path);
        return 0;
    }
    made = must_alloc(made, (nmade + 1) * sizeof *made);
    made[nmade++] = strdup(path);
    return version;
}

void cgroups_remove(void) {
    for (size_t i = 0; i < nmade; i++) rmdir(made[i]);
    nmade = 0;
    if (parent[0]) rmdir(parent);
    parent[0] = 0;
}

void cgroup_join(int procs) {
    /* A box that is not in it notices, and goes without. */
    if (write(procs, "0", 1) < 0) return;
}

/* ---- a box ---- */

static uint64_t read_number(int fd) {
    char text[64];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0) return 0;
    text[n] = 0;
    return strtoull(text, NULL, 10);
}

/* The number after `key` at the beginning of a line; 0 where there is none. */
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

void cgroup_begin(struct cgroup *c, uint64_t limit) {
    if (!c->version) return;
    c->base = read_number(c->files[CGROUP_USAGE]);
    set_limit(c, limit ? c->base + limit : 0);
    c->kills = read_key(c->files[CGROUP_EVENTS], "oom_kill");
    int is_anew = pwrite(c->files[CGROUP_PEAK], "0", 1, 0) > 0;
    c->peak = is_anew ? 0 : read_number(c->files[CGROUP_PEAK]);
}

static uint64_t beyond(uint64_t value, uint64_t base) { return value > base ? value - base : 0; }

uint64_t cgroup_usage(const struct cgroup *c) {
    return c->version ? beyond(read_number(c->files[CGROUP_USAGE]), c->base) : 0;
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

int cgroup_has_killed(const struct cgroup *c) {
    return c->version && read_key(c->files[CGROUP_EVENTS], "oom_kill") > c->kills;
}
