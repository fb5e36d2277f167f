/* The processes of a box: how much they use, and how to kill them. */
#ifndef TREE_H
#define TREE_H
#include <stdint.h>
#include <sys/types.h>

enum reach {
    REACH_NAMESPACE, /* we are pid 1: every other process is ours */
    REACH_UID,       /* programs have a uid of their own */
    REACH_CHILDREN,  /* neither: walk the lists of children; orphans come to us, as subreaper */
};

struct usage {
    int processes;
    uint64_t cpu_ns; /* of living processes, and of those they have reaped */
    uint64_t memory; /* bytes */
    uint64_t tables; /* included in `memory`: page tables beyond the usual share */
};

/*
 * Usage of everything that lives below us now. Once the plain sum exceeds `careful` bytes, shared pages are
 * divided among the processes that share them.
 */
struct usage tree_usage(enum reach reach, uint64_t careful);

/*
 * Bytes of shared anonymous memory mapped by living processes below us, touched or not. Touched memory stays
 * allocated even when a process drops it from its page tables.
 */
uint64_t tree_shared(enum reach reach);

/* The same for the whole machine with its in-memory file systems, but only what was touched; 0 if unknown. */
uint64_t machine_shared(void);

/*
 * Nanoseconds for which living threads were able to run but waited for a processor, summed over all of them,
 * because the threads of a runtime wait for each other: those of a Java program for its garbage collector, for
 * example.
 */
uint64_t tree_delay(enum reach reach);

/*
 * How long at least one task of the whole machine has waited for a processor since the machine started; 0 if
 * the kernel does not count it.
 */
uint64_t machine_delay(void);

/* Threads of a user on this machine: what RLIMIT_NPROC counts outside of a user namespace of our own. */
uint32_t threads_of(uid_t uid);

struct reaped {
    uint64_t cpu_ns;
    uint64_t peak; /* bytes: of the largest single process */
    int main_done, main_status;
};

/* Reaps ended processes without waiting. Returns -1 if no child is left. `main_pid` is the program itself. */
int tree_reap(pid_t main_pid, struct reaped *sum);
/* Kills every process of a user, from a child that becomes that user. Returns -1 if no child can be created. */
int kill_uid(uid_t uid);
/* Kills our children except those in `kept`, with all their descendants. */
void kill_orphans(const pid_t *kept, size_t nkept);
/* Kills and reaps every process below us. Returns -1 if some cannot be killed. */
int tree_kill(enum reach reach, uid_t uid, pid_t main_pid, struct reaped *sum);
#endif
