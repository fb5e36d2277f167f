/*
 * The bare loop that the product is measured against: starts one command again and again, a given number at once, with
 * nothing but posix_spawn and wait4. With a single run it serves as the stopwatch of the whole bench.
 *
 *     spawn-loop <runs> <at once> <stdin> <stdout> <report> <command> [arguments...]
 *
 * The report is one JSON object: wall and CPU seconds of all runs, the largest peak memory of any process (bytes; measured
 * from this tiny parent, because on Linux a child inherits its parent's peak), what they wrote (bytes, as /proc reports, or
 * 0 if it does not), and how many did not exit with 0.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what) {
    fprintf(stderr, "spawn-loop: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* Bytes that a process has handed to write(); the process has ended but is not reaped yet. */
static unsigned long long written_by(pid_t pid) {
    char path[64], line[128];
    unsigned long long bytes = 0;
    snprintf(path, sizeof path, "/proc/%d/io", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "wchar: %llu", &bytes) == 1) break;
    fclose(file);
    return bytes;
}

int main(int argc, char **argv) {
    if (argc < 7) {
        fprintf(stderr, "usage: spawn-loop <runs> <at once> <stdin> <stdout> <report> <command> [arguments...]\n");
        return 2;
    }
    const long runs = atol(argv[1]), at_once = atol(argv[2]);
    char **command = argv + 6;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, argv[3], O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, argv[4], O_WRONLY | O_CREAT | O_TRUNC, 0600);

    long started = 0, running = 0, failed = 0, peak = 0;
    unsigned long long written = 0;
    double cpu = 0;
    const double begin = now();
    while (started < runs || running > 0) {
        while (started < runs && running < at_once) {
            pid_t pid;
            const int error = posix_spawnp(&pid, command[0], &actions, NULL, command, environ);
            if (error != 0) {
                errno = error;
                fail(command[0]);
            }
            started++;
            running++;
        }
        if (runs == 1) {
            siginfo_t info;
            if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0) written += written_by(info.si_pid);
        }
        int status;
        struct rusage usage;
        if (wait4(-1, &status, 0, &usage) < 0) fail("wait4");
        running--;
        if (status != 0) failed++;
        if (usage.ru_maxrss > peak) peak = usage.ru_maxrss;
        cpu += usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
        cpu += (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    }
    const double wall = now() - begin;

    FILE *report = fopen(argv[5], "w");
    if (report == NULL) fail(argv[5]);
    fprintf(report, "{\"wall\":%.6f,\"cpu\":%.6f,\"peak\":%ld,\"written\":%llu,\"failed\":%ld}\n", wall, cpu,
            peak * 1024, written, failed);
    return fclose(report) == 0 ? 0 : 2;
}
