#define _GNU_SOURCE
#include "box.h"
#include "run.h"
#include "scratch.h"
#include "tree.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void on_child(int sig) { (void)sig; }

/* A child's exit must interrupt the wait; outside of ppoll, SIGCHLD stays blocked. */
static void prepare_signals(void) {
    struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP};
    sigaction(SIGCHLD, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_SETMASK, &child, NULL);
}

static struct request read_request(struct reader *r, const int *fds, int nfds) {
    struct request req = {.stdin_fd = fds[0], .ngiven = nfds - 1, .peer_fd = -1};
    for (int i = 1; i < nfds; i++) req.given[i - 1] = fds[i];
    req.id = get_u32(r);
    req.slot = get_u8(r);
    req.err_slot = get_u8(r);
    req.keep = get_u8(r);
    req.cpu_ns = get_u64(r);
    req.wall_ns = get_u64(r);
    req.memory = get_u64(r);
    req.address_space = get_u64(r);
    req.output = get_u64(r);
    req.file_max = get_u64(r);
    req.stack = get_u64(r);
    req.file_size = get_u64(r);
    req.processes = get_u32(r);
    req.files = get_u32(r);
    req.inline_max = get_u32(r);
    req.talk = get_u8(r);
    /* With a peer to talk to, the last descriptor is where the program's output goes. */
    if (req.talk && req.ngiven > 0) req.peer_fd = req.given[--req.ngiven];
    req.argv = get_list(r);
    return req;
}

static int collect(struct box *box, struct reader *r, int out) {
    uint32_t id = get_u32(r);
    const char *folder = get_text(r, NULL);
    uint64_t max_bytes = get_u64(r);
    const char *why = "";
    int ok = pack_folder(folder, out, max_bytes, &why) == 0;
    struct writer msg = {0};
    put_u8(&msg, REPLY_COLLECTED);
    put_u32(&msg, id);
    put_u8(&msg, ok ? 1 : 0);
    put_text(&msg, why, strlen(why));
    int sent = send_reply(&box->replies, msg.buf, msg.len);
    free(msg.buf);
    close(out);
    return sent < 0 ? -1 : tidy_up(box);
}

static int handle(struct box *box, char *packet, long n, const int *fds, int nfds) {
    struct reader r = {packet, packet + n, 0};
    uint8_t op = get_u8(&r);
    get_u32(&r); /* the box, which serve has read */
    if (nfds < 1 || nfds > 2 + MAX_GIVEN) return -1;
    if (op == OP_COLLECT) return collect(box, &r, fds[0]);
    struct request req = read_request(&r, fds, nfds);
    req.bytes = (size_t)n;
    if (op != OP_RUN || r.bad || !req.argv[0]) return -1;
    int result = run_program(box, &req);
    free(req.argv);
    return result;
}

/* The first packet describes the box. It stays in memory because the settings point into it. */
static void configure(struct box *box) {
    static char packet[PACKET_MAX];
    int fds[MAX_FDS], nfds;
    long n = receive_packet(box->replies.channel, packet, sizeof packet, fds, &nfds);
    if (n <= 0 || nfds < SPILL_FILES) _exit(0);
    struct reader r = {packet, packet + n, 0};
    uint8_t kind = get_u8(&r);
    uint32_t uid = get_u32(&r);
    box->cgroup.version = get_u8(&r);
    box->cwd = get_text(&r, NULL);
    box->env = get_list(&r);
    box->clean = get_list(&r);
    box->readable = get_list(&r);
    box->compiles = get_u8(&r);
    if (r.bad || nfds != SPILL_FILES + (box->cgroup.version ? CGROUP_FILES : 0)) _exit(71);
    if (box->cgroup.version) memcpy(box->cgroup.files, fds + SPILL_FILES, sizeof box->cgroup.files);
    cgroup_verify(&box->cgroup);
    for (int slot = 0; slot < SPILL_FILES; slot++) box->spill[slot] = fds[slot];
    box->own_namespace = kind == KIND_BWRAP;
    /* Inside bwrap, serve has already changed the uid of the whole sandbox. */
    box->uid = box->own_namespace ? 0 : uid;
    if (!box->own_namespace && !box->uid && geteuid() != 0) box->others = threads_of(geteuid());
    box->reach = box->own_namespace ? REACH_NAMESPACE : box->uid ? REACH_UID : REACH_CHILDREN;
}

int box_main(int channel) {
    struct box box = {.replies = {.channel = channel}};
    prctl(PR_SET_NAME, "resume-run-box");
    /* No program may inspect this process, neither by ptrace nor through its folder in /proc. */
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prepare_signals();
    umask(022);
    syscall(SYS_close_range, channel + 1, ~0u, 0);
    configure(&box);
    char opened[2] = {REPLY_OPENED, (char)box.cgroup.version};
    if (send_reply(&box.replies, opened, sizeof opened) < 0) return 0;
    static char packet[PACKET_MAX];
    for (;;) {
        int fds[MAX_FDS], nfds;
        long n = receive_packet(channel, packet, sizeof packet, fds, &nfds);
        if (n <= 0) return 0;
        if (handle(&box, packet, n, fds, nfds) < 0) {
            /* Results of programs that ended before remain valid. */
            flush_replies(&box.replies);
            return 1;
        }
    }
}
