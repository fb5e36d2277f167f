/* One program, from its start to the death of its last process. */
#ifndef RUN_H
#define RUN_H
#include "cgroup.h"
#include "replies.h"
#include "tree.h"
#include "wire.h"

struct box {
    struct replies replies; /* the end of their channel, to serve, means: kill everything and go */
    enum reach reach;
    uid_t uid; /* programs run as this; 0 means as we are */
    const char *cwd; /* "" means where we are */
    char **env;
    char **clean; /* folders emptied after each run */
    char **readable; /* all that programs may read beside them; empty: whatever their user may */
    int compiles; /* compilers run in it, which change the modes of what they make */
    int spill[SPILL_FILES];
    int own_namespace;
    int ruleset; /* of `readable` and `clean`; 0: not made yet, -1: there is none */
    char *inputs; /* the folder whose files `ruleset` lets programs read; NULL: none yet */
    int filtered; /* the filter is on us, and on all that we start */
    uint64_t scratch_size; /* bytes that its folders hold at most, where these are memory; 0: not looked yet, or they are not */
    struct cgroup cgroup; /* that all of the box is in */
    uint32_t others; /* processes of our user that are not of this box, yet counted with it */
};

struct request {
    size_t bytes; /* of the packet that brought it */
    uint32_t id;
    uint8_t slot, err_slot, keep; /* err_slot: NO_SLOT, or the file of the whole of stderr */
    uint64_t cpu_ns, wall_ns, memory, address_space, output, stack, file_size; /* 0: no limit */
    uint64_t file_max; /* bytes of each stream that its file takes, the rest only being counted; 0: all that `output` allows */
    uint32_t processes, files, inline_max;
    char **argv;
    int stdin_fd, given[MAX_GIVEN + 1], ngiven;
    uint8_t talk;
    int peer_fd; /* where what it prints goes too; -1: nowhere */
};

/* Runs it and sends the reply; -1 when the channel ended or the box is no longer fit for another run. */
int run_program(struct box *box, const struct request *req);
/* Empties what programs wrote; -1 if that cannot be done. */
int tidy_up(struct box *box);
#endif
