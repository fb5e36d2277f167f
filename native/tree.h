/* The processes of a box: how much they use, and how to be rid of them. */
#ifndef TREE_H
#define TREE_H
#include <stdint.h>
#include <sys/types.h>

enum reach {
    REACH_NAMESPACE, /* we are pid 1: every other process is ours */
    REACH_UID,       /* programs have a uid of their own */
    REACH_CHILDREN,  /* neither: walk the lists of children; orphans come to us, the subreaper */
};

struct usage {
    int processes;
    uint64_t cpu_ns; /* of the living, and of what they have reaped */
    uint64_t memory; /* bytes */
    uint64_t tables; /* of these: page tables beyond what is usual */
};

/* What lives below us now. Shared pages are shared out among processes once the plain sum passes `careful` bytes. */
struct usage tree_usage(enum reach reach, uint64_t careful);

/*
 * Shared anonymous memory that lives below us, as far as it is mapped, whether or not it was ever touched. What was touched stays in
 * memory when a process lets its page tables forget it. Bytes.
 */
uint64_t tree_shared(enum reach reach);

/* The same of the whole machine, with all file systems in memory, as far as it was touched; 0 where nobody says. */
uint64_t machine_shared(void);

/*
 * How long living threads have waited for a processor, though they could have run, one after the other: threads of a runtime wait
 * for each other, such as a program in Java for its garbage collector. Nanoseconds.
 */
uint64_t tree_delay(enum reach reach);

/* For how long at least one task of the whole machine waited for a processor, since it started; 0 where the kernel does not count it. */
uint64_t machine_delay(void);

/* Threads of a user on this machine: what RLIMIT_NPROC counts, outside of a user namespace of our own. */
uint32_t threads_of(uid_t uid);

struct reaped {
    uint64_t cpu_ns;
    uint64_t peak; /* bytes: of the largest single process */
    int main_done, main_status;
};

/* Reaps what has ended, without waiting; -1 when no child is left. `main_pid` is the program itself. */
int tree_reap(pid_t main_pid, struct reaped *sum);
/* Kills every process of a user, from a child that becomes that user; -1 where there can be none. */
int kill_uid(uid_t uid);
/* Kills our children but `kept`, and all below them. */
void kill_orphans(const pid_t *kept, size_t nkept);
/* Kills and reaps every process below us; -1 if some cannot be killed. */
int tree_kill(enum reach reach, uid_t uid, pid_t main_pid, struct reaped *sum);
#endif
