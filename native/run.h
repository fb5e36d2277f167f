/* One program, from its start to the death of its last process. */
#ifndef RUN_H
#define RUN_H
#include "cgroup.h"
#include "replies.h"
#include "tree.h"
#include "wire.h"

struct box {
    struct replies replies; /* over the channel to serve, whose end means: kill everything and exit */
    enum reach reach;
    uid_t uid; /* of programs; 0: our own */
    const char *cwd; /* "": the current one */
    char **env;
    char **clean; /* folders emptied after each run */
    char **readable; /* all that programs may read besides `clean`; empty: whatever their user may */
    int compiles; /* compilers run in it, which change the modes of their output */
    int spill[SPILL_FILES];
    int own_namespace;
    int ruleset; /* for `readable` and `clean`; 0: not created yet, -1: none */
    char *inputs; /* the folder whose files `ruleset` lets programs read; NULL: none yet */
    int filtered; /* the filter applies to us and everything we start */
    uint64_t scratch_size; /* capacity of its folders if they are in memory; 0: unknown, or they are not */
    struct cgroup cgroup; /* contains the whole box */
    uint32_t others; /* processes of our user outside of this box that are counted with it */
};

struct request {
    size_t bytes; /* of the packet that brought it */
    uint32_t id;
    uint8_t slot, err_slot, keep; /* err_slot: NO_SLOT, or the file for all of stderr */
    uint64_t cpu_ns, wall_ns, memory, address_space, output, stack, file_size; /* 0: no limit */
    uint64_t file_max; /* bytes of each stream kept in its file, the rest only counted; 0: as `output` */
    uint32_t processes, files, inline_max;
    char **argv;
    int stdin_fd, given[MAX_GIVEN + 1], ngiven;
    uint8_t talk;
    int peer_fd; /* receives its output, too; -1: none */
};

/*
 * Runs the program and sends the reply. Returns -1 if the channel has closed or the box is no longer fit for
 * another run.
 */
int run_program(struct box *box, const struct request *req);
/* Removes what programs wrote. Returns -1 if that is impossible. */
int tidy_up(struct box *box);
#endif
