#define _GNU_SOURCE
#include "launch.h"
#include "box.h"
#include "cgroup.h"
#include "scratch.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CHANNEL = 3, PROGRAM = 4 };

static void give_up(const char *what) {
    dprintf(2, "%s: %s\n", what, strerror(errno));
    _exit(71);
}

/* serve reads the files, because it is allowed to; the sandbox sees copies that it cannot write to. */
static char **with_files(const struct launch *l) {
    size_t n = 0;
    while (l->argv[n]) n++;
    char **argv = must_alloc(NULL, (n + l->nfiles * 5 + 4) * sizeof *argv);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(l->argv[i], "@files") != 0) {
            argv[at++] = l->argv[i];
            continue;
        }
        for (uint32_t f = 0; f < l->nfiles; f++) {
            char fd_text[16], mode_text[16];
            int fd = open(l->files[f].host, O_RDONLY);
            if (fd < 0) give_up(l->files[f].host);
            snprintf(fd_text, sizeof fd_text, "%d", fd);
            snprintf(mode_text, sizeof mode_text, "%04o", l->files[f].mode & 07777);
            argv[at++] = "--perms";
            argv[at++] = strdup(mode_text);
            argv[at++] = "--ro-bind-data";
            argv[at++] = strdup(fd_text);
            argv[at++] = (char *)l->files[f].name;
        }
    }
    argv[at++] = "/proc/self/fd/4";
    argv[at++] = "box";
    argv[at] = NULL;
    return argv;
}

static void drop_to(uint32_t uid) {
    if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, uid, uid, uid) < 0 ||
        syscall(SYS_setresuid, uid, uid, uid) < 0)
        give_up("cannot change to an unprivileged user");
}

static void become_bwrap(const struct launch *l, int channel, int errors) {
    int self = open("/proc/self/exe", O_RDONLY);
    if (self < 0) give_up("/proc/self/exe");
    /* Move both away from the numbers they are to get, so that neither is overwritten before it is moved. */
    int from = fcntl(channel, F_DUPFD, 10), exe = fcntl(self, F_DUPFD, 10);
    dup2(errors, 2);
    dup2(from, CHANNEL);
    dup2(exe, PROGRAM);
    syscall(SYS_close_range, PROGRAM + 1, ~0u, 0);
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    char **argv = with_files(l);
    if (l->uid) drop_to(l->uid);
    signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    char *env[] = {"PATH=/usr/bin:/bin", NULL};
    execve(argv[0], argv, env);
    give_up(argv[0]);
}

/* Another user's programs must be able to read what is in `src`. */
static int make_folders(const struct launch *l) {
    char src[PATH_MAX], box[PATH_MAX];
    if (snprintf(src, sizeof src, "%s/src", l->dir) >= PATH_MAX) return errno = ENAMETOOLONG, -1;
    snprintf(box, sizeof box, "%s/box", l->dir);
    mode_t outer = l->uid ? 0711 : 0700;
    if (mkdir(l->dir, outer) < 0 || chmod(l->dir, outer) < 0 || mkdir(src, 0755) < 0 || mkdir(box, 0700) < 0) return -1;
    if (l->uid && chown(box, l->uid, l->uid) < 0) return -1;
    for (uint32_t f = 0; f < l->nfiles; f++) {
        int from = open(l->files[f].host, O_RDONLY | O_CLOEXEC);
        if (from < 0) return -1;
        int ok = copy_file(from, src, l->files[f].name, l->files[f].mode & 0555);
        close(from);
        if (ok < 0) return -1;
    }
    return 0;
}

static void become_plain(int channel) {
    int from = fcntl(channel, F_DUPFD_CLOEXEC, 10);
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup3(from, CHANNEL, O_CLOEXEC);
    _exit(box_main(CHANNEL));
}

pid_t launch_box(const struct launch *l, int channel, int errors) {
    if (l->kind == KIND_PLAIN && *l->dir) {
        mode_t before = umask(022);
        int made = make_folders(l);
        umask(before);
        if (made < 0) return -1;
    }
    pid_t pid = fork();
    if (pid != 0) return pid;
    if (l->procs >= 0) cgroup_join(l->procs);
    if (l->kind == KIND_BWRAP) become_bwrap(l, channel, errors);
    else become_plain(channel);
    return -1;
}
