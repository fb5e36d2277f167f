#define _GNU_SOURCE
#include "scratch.h"
#include "wire.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PACK_DEPTH 16

static DIR *open_at(int at, const char *name) {
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return NULL;
    DIR *dir = fdopendir(fd);
    if (!dir) close(fd);
    return dir;
}

static int is_dots(const char *name) { return !strcmp(name, ".") || !strcmp(name, ".."); }

/* Moves the folders inside `sub` up to `top`, so that deep nesting costs neither descriptors nor stack. */
static void lift_folders(int top, const char *sub) {
    static unsigned serial;
    DIR *dir = open_at(top, sub);
    if (!dir) return;
    for (struct dirent *e; (e = readdir(dir));) {
        if (is_dots(e->d_name)) continue;
        if (unlinkat(dirfd(dir), e->d_name, 0) == 0) continue;
        fchmodat(dirfd(dir), e->d_name, 0700, 0);
        if (unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR) == 0) continue;
        char name[40];
        do snprintf(name, sizeof name, ".lifted-%u", serial++);
        while (renameat2(dirfd(dir), e->d_name, top, name, 1 /* RENAME_NOREPLACE */) < 0 && errno == EEXIST);
    }
    closedir(dir);
}

/*
 * Most programs leave nothing behind. This finds out without changing the folder, which would cost a journal
 * entry for each run.
 */
static int is_untouched(const char *path) {
    _Alignas(struct dirent64) char entries[1024];
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return 0;
    int empty = fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0700;
    long n = 1;
    while (empty && (n = syscall(SYS_getdents64, fd, entries, sizeof entries)) > 0)
        for (long at = 0; at < n && empty;) {
            const struct dirent64 *e = (const struct dirent64 *)(entries + at);
            empty = is_dots(e->d_name);
            at += e->d_reclen;
        }
    close(fd);
    return empty && n == 0;
}

int empty_folder(const char *path) {
    if (is_untouched(path)) return 0;
    chmod(path, 0700);
    /* Each pass removes one level of everything there; a pass that finds nothing is the last. */
    for (int pass = 0; pass < 1000000; pass++) {
        DIR *dir = open_at(AT_FDCWD, path);
        if (!dir) return errno == ENOENT ? 0 : -1;
        int left = 0, removed = 0;
        for (struct dirent *e; (e = readdir(dir));) {
            if (is_dots(e->d_name)) continue;
            if (unlinkat(dirfd(dir), e->d_name, 0) == 0) {
                removed++;
                continue;
            }
            fchmodat(dirfd(dir), e->d_name, 0700, 0);
            if (unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR) < 0) {
                lift_folders(dirfd(dir), e->d_name);
                if (unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR) < 0) left++;
                else removed++;
            } else {
                removed++;
            }
        }
        closedir(dir);
        if (left == 0 && removed == 0) return 0;
        if (removed == 0) return -1;
    }
    return -1;
}

uint64_t inodes_used(const char *path) {
    struct statfs s;
    if (statfs(path, &s) < 0 || s.f_files == 0) return 0;
    return s.f_files - s.f_ffree - 1;
}

uint64_t bytes_used(const char *path) {
    struct statfs s;
    return statfs(path, &s) < 0 ? 0 : (uint64_t)(s.f_blocks - s.f_bfree) * (uint64_t)s.f_bsize;
}

uint64_t bytes_in_all(const char *path) {
    struct statfs s;
    return statfs(path, &s) < 0 ? 0 : (uint64_t)s.f_blocks * (uint64_t)s.f_bsize;
}

uint64_t ipc_bytes(void) {
    struct shm_info shm;
    return shmctl(0, SHM_INFO, (struct shmid_ds *)&shm) < 0 ? 0 : (uint64_t)shm.shm_rss * (uint64_t)sysconf(_SC_PAGESIZE);
}

void remove_ipc(void) {
    struct shm_info shm;
    struct seminfo sem;
    struct msginfo msg;
    int top = shmctl(0, SHM_INFO, (struct shmid_ds *)&shm);
    for (int i = 0; shm.used_ids > 0 && i <= top; i++) {
        struct shmid_ds ds;
        int id = shmctl(i, SHM_STAT, &ds);
        if (id >= 0) shmctl(id, IPC_RMID, NULL);
    }
    top = semctl(0, 0, SEM_INFO, &sem);
    for (int i = 0; sem.semusz > 0 && i <= top; i++) {
        struct semid_ds ds;
        int id = semctl(i, 0, SEM_STAT, &ds);
        if (id >= 0) semctl(id, 0, IPC_RMID);
    }
    top = msgctl(0, MSG_INFO, (struct msqid_ds *)&msg);
    for (int i = 0; msg.msgpool > 0 && i <= top; i++) {
        struct msqid_ds ds;
        int id = msgctl(i, MSG_STAT, &ds);
        if (id >= 0) msgctl(id, IPC_RMID, NULL);
    }
}

static int copy_bytes(int from, int to, uint64_t max) {
    char buf[65536];
    for (;;) {
        ssize_t n = read(from, buf, sizeof buf);
        if (n == 0) return 0;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if ((uint64_t)n > max) return errno = EFBIG, -1;
        max -= (uint64_t)n;
        if (write_all(to, buf, (size_t)n) < 0) return -1;
    }
}

int copy_file(int from, const char *base, const char *name, mode_t mode) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", base, name) >= (int)sizeof path) return errno = ENAMETOOLONG, -1;
    for (char *slash = path + strlen(base) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        if (mkdir(path, 0755) < 0 && errno != EEXIST) return -1;
        *slash = '/';
    }
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (to < 0) return -1;
    int ok = copy_bytes(from, to, UINT64_MAX) == 0 && fchmod(to, mode) == 0;
    close(to);
    return ok ? 0 : -1;
}

struct packing {
    int out;
    uint64_t left;
    const char *why;
};

static int pack_file(struct packing *p, int at, const char *name, const char *shown, const struct stat *st) {
    if ((uint64_t)st->st_size > p->left) return p->why = "what it left is too large", -1;
    int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return p->why = strerror(errno), -1;
    struct writer w = {0};
    put_text(&w, shown, strlen(shown));
    put_u32(&w, st->st_mode & 0777);
    put_u64(&w, (uint64_t)st->st_size);
    int ok = write_all(p->out, w.buf, w.len) == 0 && copy_bytes(fd, p->out, (uint64_t)st->st_size) == 0;
    if (!ok) p->why = strerror(errno);
    p->left -= (uint64_t)st->st_size;
    free(w.buf);
    close(fd);
    return ok ? 0 : -1;
}

static int pack_level(struct packing *p, int at, const char *folder, const char *prefix, int depth) {
    DIR *dir = open_at(at, folder);
    if (!dir) return p->why = strerror(errno), -1;
    int result = 0;
    for (struct dirent *e; result == 0 && (e = readdir(dir));) {
        char shown[PATH_MAX];
        struct stat st;
        if (is_dots(e->d_name) || fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) continue;
        if (snprintf(shown, sizeof shown, "%s%s%s", prefix, *prefix ? "/" : "", e->d_name) >= PATH_MAX) continue;
        if (S_ISREG(st.st_mode)) result = pack_file(p, dirfd(dir), e->d_name, shown, &st);
        else if (S_ISDIR(st.st_mode) && depth < PACK_DEPTH)
            result = pack_level(p, dirfd(dir), e->d_name, shown, depth + 1);
    }
    closedir(dir);
    return result;
}

int pack_folder(const char *folder, int out, uint64_t max_bytes, const char **why) {
    struct packing p = {out, max_bytes, ""};
    int result = pack_level(&p, AT_FDCWD, folder, "", 0);
    *why = p.why;
    return result;
}
