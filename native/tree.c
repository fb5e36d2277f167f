#define _GNU_SOURCE
#include "tree.h"
#include "wire.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_PATIENCE_NS 10000000000ull

struct pids {
    pid_t *list;
    int n, cap;
};

static void add_pid(struct pids *p, pid_t pid) {
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 64;
        p->list = must_alloc(p->list, p->cap * sizeof *p->list);
    }
    p->list[p->n++] = pid;
}

static long read_file(const char *path, char *buf, size_t cap) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t n = read(fd, buf, cap - 1);
    close(fd);
    if (n >= 0) buf[n] = 0;
    return n;
}

static void children_of_thread(pid_t pid, const char *tid, struct pids *found) {
    char path[320];
    snprintf(path, sizeof path, "/proc/%d/task/%s/children", pid, tid);
    FILE *f = fopen(path, "re");
    if (!f) return;
    int child;
    while (fscanf(f, "%d", &child) == 1) add_pid(found, child);
    fclose(f);
}

static void children_of(pid_t pid, struct pids *found) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *dir = opendir(path);
    if (!dir) return;
    for (struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.') children_of_thread(pid, e->d_name, found);
    closedir(dir);
}

/* Adds all descendants of the processes in `found`. */
static void add_descendants(struct pids *found) {
    for (int i = 0; i < found->n; i++) children_of(found->list[i], found);
}

static struct pids below_us(enum reach reach) {
    struct pids found = {0};
    if (reach == REACH_NAMESPACE) {
        DIR *dir = opendir("/proc");
        if (!dir) return found;
        for (struct dirent *e; (e = readdir(dir));) {
            int pid = atoi(e->d_name);
            if (pid > 1) add_pid(&found, pid);
        }
        closedir(dir);
        return found;
    }
    children_of(getpid(), &found);
    add_descendants(&found);
    return found;
}

/* Our children except those in `kept`, with all their descendants. */
static struct pids orphans(const pid_t *kept, size_t nkept) {
    struct pids children = {0}, found = {0};
    children_of(getpid(), &children);
    for (int i = 0; i < children.n; i++) {
        int is_kept = 0;
        for (size_t k = 0; k < nkept; k++) is_kept |= kept[k] == children.list[i];
        if (!is_kept) add_pid(&found, children.list[i]);
    }
    free(children.list);
    add_descendants(&found);
    return found;
}

#define FOLDER_MAX 64

/* What the `stat` file of a process or of one of its threads says. */
struct figures {
    char state;
    unsigned long long user, sys, vsize;
    long long child_user, child_sys, threads, rss;
};

/* `of` is its folder in /proc. @returns whether it exists */
static int read_figures(const char *of, struct figures *f) {
    char path[FOLDER_MAX + 16], buf[1024];
    snprintf(path, sizeof path, "%s/stat", of);
    if (read_file(path, buf, sizeof buf) <= 0) return 0;
    /* The name may contain anything, even brackets, so fields are counted from the last one. */
    char *rest = strrchr(buf, ')');
    if (!rest) return 0;
    int n = sscanf(rest + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld %*d %*d %lld %*d %*u %llu %lld",
                   &f->state, &f->user, &f->sys, &f->child_user, &f->child_sys, &f->threads, &f->vsize, &f->rss);
    return n == 8;
}

/*
 * A main thread that has ended reports no memory any more, while threads that go on do. `of` becomes the folder
 * of one of them.
 */
static void find_memory(pid_t pid, char of[FOLDER_MAX], struct figures *f) {
    snprintf(of, FOLDER_MAX, "/proc/%d/task", pid);
    DIR *dir = opendir(of);
    if (!dir) return;
    for (struct dirent *e; f->rss == 0 && (e = readdir(dir));) {
        struct figures one;
        snprintf(of, FOLDER_MAX, "/proc/%d/task/%d", pid, atoi(e->d_name));
        if (e->d_name[0] == '.' || !read_figures(of, &one)) continue;
        f->vsize = one.vsize;
        f->rss = one.rss;
    }
    closedir(dir);
}

/* One byte of page tables addresses this many bytes, so the address space bounds the size of the tables. */
#define ADDRESSED_BY_TABLES 512
#define SMALL_TABLES (1u << 20)
/* In a program that uses what it has mapped, page tables are a small share: one part in this many. */
#define USUAL_SHARE 64

/*
 * Bytes of page tables beyond what the pages of a process account for: a process that touches a byte here and
 * there has as much memory in tables as in pages.
 */
static uint64_t excess_of_tables(const char *of, uint64_t vsize, uint64_t bytes) {
    char path[FOLDER_MAX + 16], buf[4096];
    if (vsize / ADDRESSED_BY_TABLES <= SMALL_TABLES) return 0;
    snprintf(path, sizeof path, "%s/status", of);
    if (read_file(path, buf, sizeof buf) <= 0) return 0;
    char *at = strstr(buf, "\nVmPTE:");
    uint64_t tables = at ? strtoull(at + 7, NULL, 10) * 1024 : 0, usual = bytes / USUAL_SHARE + SMALL_TABLES;
    return tables > usual ? tables - usual : 0;
}

/* Adds the usage of one process. Returns 0 if it is gone. */
static int add_usage(pid_t pid, struct usage *sum) {
    static long tick, page;
    if (!tick) tick = sysconf(_SC_CLK_TCK), page = sysconf(_SC_PAGESIZE);
    char of[FOLDER_MAX];
    struct figures f;
    snprintf(of, sizeof of, "/proc/%d", pid);
    if (!read_figures(of, &f)) return 0;
    if (f.state == 'Z' && f.threads > 1) find_memory(pid, of, &f);
    sum->cpu_ns += (f.user + f.sys + f.child_user + f.child_sys) * (1000000000ull / tick);
    sum->memory += (uint64_t)f.rss * page;
    sum->tables += excess_of_tables(of, f.vsize, (uint64_t)f.rss * page);
    sum->processes++;
    return 1;
}

/* Proportional memory of a process in bytes; 0 if we may not read it. */
static uint64_t proportional(pid_t pid) {
    char path[64], buf[2048];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    if (read_file(path, buf, sizeof buf) <= 0) return 0;
    char *at = strstr(buf, "\nPss:");
    return at ? strtoull(at + 5, NULL, 10) * 1024 : 0;
}

/*
 * Orders processes by their address space. Returns 0 for two that share one, such as a child that has not yet
 * been given a program and its parent.
 */
static int by_memory(const void *a, const void *b) {
    const pid_t *x = a, *y = b;
    long order = syscall(SYS_kcmp, *x, *y, 1 /* KCMP_VM */, 0, 0);
    if (order == 0) return 0;
    if (order == 1 || order == 2) return order == 1 ? -1 : 1;
    return *x < *y ? -1 : *x > *y;
}

static uint64_t shared_out(struct pids *found) {
    uint64_t sum = 0;
    qsort(found->list, (size_t)found->n, sizeof *found->list, by_memory);
    for (int i = 0; i < found->n; i++) {
        if (i > 0 && by_memory(&found->list[i - 1], &found->list[i]) == 0) continue;
        uint64_t pss = proportional(found->list[i]);
        if (pss == 0) {
            struct usage one = {0};
            add_usage(found->list[i], &one);
            pss = one.memory;
        }
        sum += pss;
    }
    return sum;
}

struct usage tree_usage(enum reach reach, uint64_t careful) {
    struct usage sum = {0};
    struct pids found = below_us(reach);
    for (int i = 0; i < found.n; i++) add_usage(found.list[i], &sum);
    if (sum.processes > 1 && sum.memory > careful) sum.memory = shared_out(&found);
    sum.memory += sum.tables;
    free(found.list);
    return sum;
}

/* ---- shared memory that no process has in its page tables ---- */

/* A mapping of shared anonymous memory. */
struct piece {
    uint64_t inode, bytes;
    pid_t pid;
};

struct pieces {
    struct piece *list;
    size_t n, cap;
};

static void add_piece(struct pieces *p, struct piece piece) {
    struct piece *last = p->n > 0 ? &p->list[p->n - 1] : NULL;
    if (last && last->inode == piece.inode && last->pid == piece.pid) {
        last->bytes += piece.bytes;
        return;
    }
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 64;
        p->list = must_alloc(p->list, p->cap * sizeof *p->list);
    }
    p->list[p->n++] = piece;
}

static void add_pieces(pid_t pid, struct pieces *found) {
    char path[64], line[512], perms[8], name[32];
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *f = fopen(path, "re");
    if (!f) return;
    while (fgets(line, sizeof line, f)) {
        unsigned long long from, to, inode;
        int n = sscanf(line, "%llx-%llx %7s %*s %*s %llu %31s", &from, &to, perms, &inode, name);
        if (n == 5 && perms[3] == 's' && strcmp(name, "/dev/zero") == 0) add_piece(found, (struct piece){inode, to - from, pid});
    }
    fclose(f);
}

static int by_inode(const void *a, const void *b) {
    const struct piece *x = a, *y = b;
    if (x->inode != y->inode) return x->inode < y->inode ? -1 : 1;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

uint64_t tree_shared(enum reach reach) {
    struct pids pids = below_us(reach);
    struct pieces found = {0};
    uint64_t sum = 0;
    for (int i = 0; i < pids.n; i++) add_pieces(pids.list[i], &found);
    if (found.n > 0) qsort(found.list, found.n, sizeof *found.list, by_inode);
    for (size_t i = 0; i < found.n;) {
        uint64_t inode = found.list[i].inode, most = 0;
        while (i < found.n && found.list[i].inode == inode) {
            pid_t pid = found.list[i].pid;
            uint64_t bytes = 0;
            for (; i < found.n && found.list[i].inode == inode && found.list[i].pid == pid; i++) bytes += found.list[i].bytes;
            if (bytes > most) most = bytes;
        }
        sum += most;
    }
    free(found.list);
    free(pids.list);
    return sum;
}

uint64_t machine_shared(void) {
    char buf[4096];
    if (read_file("/proc/meminfo", buf, sizeof buf) <= 0) return 0;
    char *at = strstr(buf, "\nShmem:");
    return at ? strtoull(at + 7, NULL, 10) * 1024 : 0;
}

uint32_t threads_of(uid_t uid) {
    uint32_t count = 0;
    DIR *dir = opendir("/proc");
    if (!dir) return 0;
    for (struct dirent *e; (e = readdir(dir));) {
        char path[300];
        struct stat owner, threads;
        snprintf(path, sizeof path, "/proc/%s/task", e->d_name);
        if (atoi(e->d_name) <= 0 || stat(path, &threads) < 0) continue;
        /* A folder's link count is the number of its subfolders plus two. */
        path[strlen(path) - 5] = 0;
        if (stat(path, &owner) == 0 && owner.st_uid == uid && threads.st_nlink > 2) count += threads.st_nlink - 2;
    }
    closedir(dir);
    return count;
}

static uint64_t delay_of_thread(pid_t pid, const char *tid) {
    char path[320], buf[128];
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, tid);
    unsigned long long ran, waited;
    if (read_file(path, buf, sizeof buf) <= 0 || sscanf(buf, "%llu %llu", &ran, &waited) != 2) return 0;
    return waited;
}

uint64_t tree_delay(enum reach reach) {
    uint64_t sum = 0;
    struct pids found = below_us(reach);
    for (int i = 0; i < found.n; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/task", found.list[i]);
        DIR *dir = opendir(path);
        if (!dir) continue;
        for (struct dirent *e; (e = readdir(dir));) {
            if (e->d_name[0] != '.') sum += delay_of_thread(found.list[i], e->d_name);
        }
        closedir(dir);
    }
    free(found.list);
    return sum;
}

uint64_t machine_delay(void) {
    char buf[256];
    unsigned long long us;
    if (read_file("/proc/pressure/cpu", buf, sizeof buf) <= 0) return 0;
    return sscanf(buf, "some %*s %*s %*s total=%llu", &us) == 1 ? us * 1000 : 0;
}

static void note_ended(pid_t pid, int status, const struct rusage *use, pid_t main_pid, struct reaped *sum) {
    sum->cpu_ns += (use->ru_utime.tv_sec + use->ru_stime.tv_sec) * 1000000000ull +
                   (use->ru_utime.tv_usec + use->ru_stime.tv_usec) * 1000ull;
    uint64_t peak = (uint64_t)use->ru_maxrss * 1024;
    if (peak > sum->peak) sum->peak = peak;
    if (pid == main_pid && !sum->main_done) {
        sum->main_done = 1;
        sum->main_status = status;
    }
}

int tree_reap(pid_t main_pid, struct reaped *sum) {
    for (;;) {
        int status;
        struct rusage use;
        pid_t pid = wait4(-1, &status, WNOHANG | __WALL, &use);
        if (pid == 0) return 0;
        if (pid < 0 && errno == EINTR) continue;
        if (pid < 0) return -1;
        note_ended(pid, status, &use, main_pid, sum);
    }
}

/* kill(-1) reaches every process of a uid, including daemons, but must be called by a process of that uid. */
int kill_uid(uid_t uid) {
    pid_t pid = fork();
    if (pid == 0) {
        if (syscall(SYS_setresuid, uid, uid, uid) == 0) kill(-1, SIGKILL);
        _exit(0);
    }
    return pid < 0 ? -1 : 0;
}

/* Stops them first, so that none can fork while the others are being killed. */
void kill_orphans(const pid_t *kept, size_t nkept) {
    for (int seen = -1;;) {
        struct pids found = orphans(kept, nkept);
        for (int i = 0; i < found.n; i++) kill(found.list[i], SIGSTOP);
        int more = found.n > seen;
        seen = found.n;
        if (!more)
            for (int i = 0; i < found.n; i++) kill(found.list[i], SIGKILL);
        free(found.list);
        if (!more) return;
    }
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

int tree_kill(enum reach reach, uid_t uid, pid_t main_pid, struct reaped *sum) {
    uint64_t give_up = now_ns() + KILL_PATIENCE_NS;
    for (long pause_us = 100; tree_reap(main_pid, sum) == 0; pause_us = pause_us < 20000 ? pause_us * 2 : 20000) {
        if (reach == REACH_NAMESPACE) kill(-1, SIGKILL);
        /*
         * A crowd that fills the control group leaves us no process for that; processes that have lost their
         * parents are our children, too.
         */
        else if (reach != REACH_UID || kill_uid(uid) < 0) kill_orphans(NULL, 0);
        if (now_ns() > give_up) return -1;
        struct timespec wait = {0, pause_us * 1000};
        if (tree_reap(main_pid, sum) < 0) return 0;
        nanosleep(&wait, NULL);
    }
    return 0;
}
