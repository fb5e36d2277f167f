#define _GNU_SOURCE
#include "confine.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- files: the kernel's numbers, because its headers installed here may be older than the kernel ---- */

enum { LANDLOCK_CREATE = 444, LANDLOCK_ADD = 445, LANDLOCK_RESTRICT = 446 };
#define FS_EXECUTE (1u << 0)
#define FS_WRITE_FILE (1u << 1)
#define FS_READ_FILE (1u << 2)
#define FS_READ_DIR (1u << 3)
#define FS_TRUNCATE (1u << 14)
#define FS_IOCTL_DEV (1u << 15)
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
/* Abstract sockets and signals. */
#define SCOPES 3u

struct ruleset_attr {
    uint64_t fs, net, scoped;
};

struct beneath_attr {
    uint64_t access;
    int32_t parent;
} __attribute__((packed));

static uint64_t known_rights(long abi) {
    unsigned bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;
    return (1u << bits) - 1;
}

/* A file that cannot be examined needs no rule: without one it is out of reach. */
static void allow_fd(int ruleset, int fd, uint64_t access) {
    struct stat st;
    if (fstat(fd, &st) < 0) return;
    struct beneath_attr rule = {S_ISDIR(st.st_mode) ? access : access & FS_OF_FILES, fd};
    syscall(LANDLOCK_ADD, ruleset, 1, &rule, 0);
}

static void allow_path(int ruleset, const char *path, uint64_t access) {
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return;
    allow_fd(ruleset, fd, access);
    close(fd);
}

int files_ruleset(char **readable, char **writable) {
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
    long abi = syscall(LANDLOCK_CREATE, NULL, 0, 1);
    if (abi < 1) return -1;
    uint64_t all = known_rights(abi);
    struct ruleset_attr attr = {.fs = all, .scoped = abi >= 6 ? SCOPES : 0};
    /* Close-on-exec by itself. */
    int ruleset = (int)syscall(LANDLOCK_CREATE, &attr, sizeof attr, 0);
    if (ruleset < 0) return -1;
    for (char **path = readable; *path; path++) allow_path(ruleset, *path, FS_READ_FILE | FS_READ_DIR | FS_EXECUTE);
    for (char **path = writable; *path; path++) allow_path(ruleset, *path, all);
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        allow_path(ruleset, devices[i], all & (FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV));
    return ruleset;
}

void allow_reading(int ruleset, int fd) { allow_fd(ruleset, fd, FS_READ_FILE); }

int allow_reading_below(int ruleset, const char *folder) {
    struct stat st;
    if (lstat(folder, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077)) return 0;
    allow_path(ruleset, folder, FS_READ_FILE);
    return 1;
}

int enter_ruleset(int ruleset) { return ruleset < 0 ? 0 : (int)syscall(LANDLOCK_RESTRICT, ruleset, 0); }

/* ---- system calls ---- */

#if defined __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000u
#elif defined __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH
#define NAMESPACES 0x7e020000u
#define MOST_STEPS 256
#define IO_URING 425
#define HUGE_PAGES 0x40000 /* MAP_HUGETLB */
#define IOPRIO_WHO_PROCESS 1
/* Instead of an error: the call does nothing and reports success. */
#define DONE_WITHOUT 0

struct steps {
    struct sock_filter list[MOST_STEPS];
    unsigned short n;
};

static void add(struct steps *s, uint16_t code, uint8_t yes, uint8_t no, uint32_t k) {
    if (s->n < MOST_STEPS) s->list[s->n++] = (struct sock_filter){code, yes, no, k};
}

static void load(struct steps *s, size_t offset) { add(s, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset); }

static void answer(struct steps *s, uint32_t error) { add(s, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | error); }

static void refuse(struct steps *s, uint32_t call, uint32_t error) {
    add(s, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, call);
    answer(s, error);
}

/* A condition on an argument of a call, tested by `jump` and `value`. */
struct condition {
    unsigned argument;
    uint16_t jump;
    uint32_t value;
    int holds; /* 0: negated */
};

static void refuse_where(struct steps *s, uint32_t call, struct condition is, uint32_t error) {
    add(s, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, call);
    load(s, offsetof(struct seccomp_data, args) + is.argument * sizeof(uint64_t));
    add(s, BPF_JMP | is.jump | BPF_K, is.holds ? 0 : 1, is.holds ? 1 : 0, is.value);
    answer(s, error);
    load(s, offsetof(struct seccomp_data, nr));
}

/* Calls that can slow others down. Their first argument is the id of a process or thread. */
static const uint32_t SCHEDULING[] = {SYS_sched_setscheduler, SYS_sched_setparam, SYS_sched_setattr, SYS_sched_setaffinity};

/*
 * Refuses a call that creates sockets of any family but these three: others, such as AF_VSOCK, are not confined
 * by a network namespace.
 */
static void refuse_families(struct steps *s, uint32_t call) {
    add(s, BPF_JMP | BPF_JEQ | BPF_K, 0, 6, call);
    load(s, offsetof(struct seccomp_data, args));
    add(s, BPF_JMP | BPF_JEQ | BPF_K, 3, 0, AF_UNIX);
    add(s, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, AF_INET);
    add(s, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AF_INET6);
    answer(s, EAFNOSUPPORT);
    load(s, offsetof(struct seccomp_data, nr));
}

static void refuse_everywhere(struct steps *s) {
    refuse_families(s, SYS_socket);
    refuse_families(s, SYS_socketpair);
    /*
     * Memory that counts neither as any process's memory nor towards a file system of limited size. Runtimes
     * use it if they can, and do without otherwise.
     */
    refuse(s, SYS_memfd_create, EPERM);
    refuse(s, 447 /* memfd_secret */, EPERM);
    /* Keys outlive the program that added them, even in namespaces. */
    refuse(s, SYS_add_key, EPERM);
    refuse(s, SYS_request_key, EPERM);
    refuse(s, SYS_keyctl, EPERM);
    /* Large attack surfaces that no honest program needs. The ring would also bypass this filter. */
    for (uint32_t call = IO_URING; call < IO_URING + 3; call++) refuse(s, call, EPERM);
    refuse(s, SYS_bpf, EPERM);
    refuse(s, SYS_perf_event_open, EPERM);
    refuse(s, SYS_userfaultfd, EPERM);
    /* The kernel allows only a few of these for all programs of a user together. */
#ifdef SYS_inotify_init
    refuse(s, SYS_inotify_init, EMFILE);
#endif
    refuse(s, SYS_inotify_init1, EMFILE);
    refuse(s, SYS_fanotify_init, EMFILE);
    /* Huge pages are kept by the machine for others, and count as nobody's memory. */
    refuse_where(s, SYS_mmap, (struct condition){3, BPF_JSET, HUGE_PAGES, 1}, ENOMEM);
}

/* Pid 1 of the namespace is ours and runs as the program's user, so the program could slow it down. */
static void refuse_to_hold_us_up(struct steps *s) {
    struct condition is_us = {0, BPF_JEQ, 1, 1}, is_us_by_kind = {1, BPF_JEQ, 1, 1};
    refuse_where(s, SYS_prlimit64, is_us, EPERM);
    for (size_t i = 0; i < sizeof SCHEDULING / sizeof *SCHEDULING; i++) refuse_where(s, SCHEDULING[i], is_us, EPERM);
    /* Allowed only for a single process, not for a group or a user. */
    refuse_where(s, SYS_setpriority, (struct condition){0, BPF_JEQ, PRIO_PROCESS, 0}, EPERM);
    refuse_where(s, SYS_setpriority, is_us_by_kind, EPERM);
    refuse_where(s, SYS_ioprio_set, (struct condition){0, BPF_JEQ, IOPRIO_WHO_PROCESS, 0}, EPERM);
    refuse_where(s, SYS_ioprio_set, is_us_by_kind, EPERM);
}

static void refuse_outside(struct steps *s) {
    /* The network, and every server on this machine that listens on a path. Socket pairs are harmless. */
    refuse(s, SYS_socket, EACCES);
    refuse(s, SYS_shmget, EPERM);
    refuse(s, SYS_semget, EPERM);
    refuse(s, SYS_msgget, EPERM);
    refuse(s, SYS_mq_open, EPERM);
    refuse(s, SYS_unshare, EPERM);
    refuse(s, SYS_setns, EPERM);
    /* A filter cannot see the flags of this call; libraries fall back to clone. */
    refuse(s, SYS_clone3, ENOSYS);
    refuse_where(s, SYS_clone, (struct condition){0, BPF_JSET, NAMESPACES, 1}, EPERM);
    refuse(s, SYS_ptrace, EPERM);
    refuse(s, SYS_process_vm_readv, EPERM);
    refuse(s, SYS_process_vm_writev, EPERM);
    struct condition is_another = {0, BPF_JEQ, 0, 0};
    refuse_where(s, SYS_prlimit64, is_another, EPERM);
    /*
     * Runtimes make these calls for their own threads, with an id that does not tell whose thread it is, and
     * Mono prints a message if they are refused.
     */
    for (size_t i = 0; i < sizeof SCHEDULING / sizeof *SCHEDULING; i++) refuse_where(s, SCHEDULING[i], is_another, DONE_WITHOUT);
    refuse(s, SYS_setpriority, EPERM);
    refuse(s, SYS_ioprio_set, EPERM);
}

/* Landlock ignores modes and owners. Those of an open file may be changed, since opening it was permitted. */
static void refuse_as_us(struct steps *s) {
#ifdef SYS_chmod
    refuse(s, SYS_chmod, EPERM);
    refuse(s, SYS_chown, EPERM);
    refuse(s, SYS_lchown, EPERM);
#endif
    refuse(s, SYS_fchmodat, EPERM);
    refuse(s, 452 /* fchmodat2 */, EPERM);
    refuse(s, SYS_fchownat, EPERM);
}

int enter_filter(enum filter filter) {
    struct steps s = {.n = 0};
    load(&s, offsetof(struct seccomp_data, arch));
    add(&s, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCH);
    add(&s, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS);
    load(&s, offsetof(struct seccomp_data, nr));
#ifdef X32_BIT
    add(&s, BPF_JMP | BPF_JGE | BPF_K, 0, 1, X32_BIT);
    answer(&s, ENOSYS);
#endif
    refuse_everywhere(&s);
    if (filter == FILTER_INSIDE) refuse_to_hold_us_up(&s);
    else refuse_outside(&s);
    if (filter == FILTER_AS_US) refuse_as_us(&s);
    add(&s, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {s.n, s.list};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 && errno != EINVAL ? -1 : 0;
}
#else
int enter_filter(enum filter filter) {
    (void)filter;
    return 0;
}
#endif
