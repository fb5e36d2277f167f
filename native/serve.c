#define _GNU_SOURCE
#include "serve.h"
#include "cgroup.h"
#include "clock.h"
#include "launch.h"
#include "scratch.h"
#include "tree.h"
#include "wire.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CLOSE_PATIENCE_NS 3000000000ull
#define MAX_FRAME (512u << 20)

struct served {
    uint32_t id;
    pid_t pid; /* 0 once reaped */
    int status;
    int channel; /* -1 once closed */
    int errors;
    int asked_to_close;
    uint8_t guard_stdin;
    uint32_t uid; /* of its programs; 0: same as ours */
    uint64_t kill_at; /* 0: not yet asked to go */
    int is_cleaned;   /* `pid` is removing its folder, or has done so */
    char *dir, *out;
};

static struct served *boxes;
static volatile sig_atomic_t child_ended;
static size_t nboxes;

static struct served *find_box(uint32_t id) {
    for (size_t i = 0; i < nboxes; i++)
        if (boxes[i].id == id) return &boxes[i];
    return NULL;
}

static struct writer to_node;

/* Queues a reply to Node: its length, the box, and what the box wrote. */
static void add_reply(uint32_t box, const void *data, size_t length) {
    put_u32(&to_node, (uint32_t)length + 4);
    put_u32(&to_node, box);
    put_bytes(&to_node, data, length);
}

/* In one call: two would wake Node twice, the first time for only half of it. */
static void send_replies(void) {
    if (write_all(1, to_node.buf, to_node.len) < 0) _exit(0);
    to_node.len = 0;
}

static void reply(uint32_t box, const void *data, size_t length) {
    add_reply(box, data, length);
    send_replies();
}

static void reply_text(uint32_t box, uint8_t kind, const char *text) {
    struct writer msg = {0};
    put_u8(&msg, kind);
    put_text(&msg, text, strlen(text));
    reply(box, msg.buf, msg.len);
    free(msg.buf);
}

/* Two boxes whose programs talk to each other, with the pipe ends of the one that has not started yet. */
struct talk {
    uint32_t started, waiting;
    int in, out; /* of `waiting` */
};

static struct talk *talks;
static size_t ntalks;

static void end_talk(size_t at) {
    if (talks[at].in >= 0) close(talks[at].in);
    if (talks[at].out >= 0) close(talks[at].out);
    talks[at] = talks[--ntalks];
}

/* A box that is gone writes nothing more: its peer reads the end of its input. */
static void end_talks_of(uint32_t box) {
    for (size_t i = 0; i < ntalks;)
        if (talks[i].started == box || talks[i].waiting == box) end_talk(i);
        else i++;
}

/* Gets the pipe ends of `box`: ends[0] to read from, ends[1] to write to. */
static int join_talk(uint32_t box, uint32_t peer, int ends[2]) {
    for (size_t i = 0; i < ntalks; i++)
        if (talks[i].waiting == box && talks[i].started == peer) {
            ends[0] = talks[i].in;
            ends[1] = talks[i].out;
            talks[i] = talks[--ntalks];
            return 0;
        }
    int to_us[2], to_peer[2];
    if (pipe2(to_us, O_CLOEXEC) < 0) return -1;
    if (pipe2(to_peer, O_CLOEXEC) < 0) return close(to_us[0]), close(to_us[1]), -1;
    talks = must_alloc(talks, (ntalks + 1) * sizeof *talks);
    talks[ntalks++] = (struct talk){.started = box, .waiting = peer, .in = to_peer[0], .out = to_us[1]};
    ends[0] = to_us[0];
    ends[1] = to_peer[1];
    return 0;
}

/* Replies as a box would for a program that could not be started. */
static void reply_not_started(uint32_t box, uint32_t run, int error) {
    struct writer msg = {0};
    put_u8(&msg, REPLY_RESULT);
    put_u32(&msg, run);
    put_u32(&msg, (uint32_t)error);
    put_u8(&msg, 0);
    put_u32(&msg, 127);
    for (int i = 0; i < 3; i++) put_u64(&msg, 0);
    put_u8(&msg, LIMIT_NONE);
    for (int i = 0; i < 2; i++) put_u64(&msg, 0);
    for (int i = 0; i < 2; i++) put_u8(&msg, 0);
    put_text(&msg, "", 0);
    put_text(&msg, "", 0);
    put_u64(&msg, now_ns());
    put_text(&msg, "", 0);
    reply(box, msg.buf, msg.len);
    free(msg.buf);
}

static void hang_up(struct served *b) {
    if (b->channel >= 0) close(b->channel);
    b->channel = -1;
    if (!b->kill_at) b->kill_at = now_ns() + CLOSE_PATIENCE_NS;
}

/*
 * What is kept for the next box of a place, because creating and removing it takes time: spill files and a
 * control group.
 */
struct place {
    char *out; /* prefix of the spill files */
    int version, files[CGROUP_FILES]; /* of the control group; version 0: none */
};
static struct place *places;
static size_t nplaces;

static struct place *place_of(const char *out) {
    for (size_t i = 0; i < nplaces; i++)
        if (strcmp(places[i].out, out) == 0) return &places[i];
    places = must_alloc(places, (nplaces + 1) * sizeof *places);
    struct place *place = &places[nplaces++];
    const char *name = strrchr(out, '/');
    *place = (struct place){.out = strdup(out)};
    place->version = cgroup_make(name ? name + 1 : out, place->files);
    return place;
}

static void remove_places(void) {
    char path[PATH_MAX];
    for (size_t i = 0; i < nplaces; i++)
        for (int slot = 0; slot < SPILL_FILES; slot++)
            if (snprintf(path, sizeof path, "%s.%d", places[i].out, slot) < PATH_MAX) unlink(path);
    cgroups_remove();
}

static void remove_traces(struct served *b) {
    char path[PATH_MAX];
    struct stat st;
    for (int slot = 0; slot < SPILL_FILES; slot++)
        if (snprintf(path, sizeof path, "%s.%d", b->out, slot) < PATH_MAX && lstat(path, &st) == 0 && st.st_size > 0 &&
            truncate(path, 0) < 0)
            unlink(path);
}

/*
 * Runs in a process of its own: a program may leave a tree that takes long to remove, and other boxes go on
 * meanwhile.
 */
static void start_cleaning(struct served *b) {
    b->is_cleaned = 1;
    pid_t pid = *b->dir ? fork() : 0;
    if (pid > 0) b->pid = pid;
    if (pid > 0 || !*b->dir) return;
    /* Copies of channels would keep boxes from noticing that we hung up. */
    if (pid == 0) syscall(SYS_close_range, 0u, ~0u, 0);
    empty_folder(b->dir);
    rmdir(b->dir);
    if (pid == 0) _exit(0);
}

/* A box that was killed or gave up could not kill its programs. They are ours now, and may fork forever. */
static void kill_left_over(const struct served *b) {
    if (WIFEXITED(b->status) && WEXITSTATUS(b->status) == 0) return;
    if (b->uid) {
        kill_uid(b->uid);
        return;
    }
    pid_t *kept = must_alloc(NULL, nboxes * sizeof *kept);
    for (size_t i = 0; i < nboxes; i++) kept[i] = boxes[i].pid;
    kill_orphans(kept, nboxes);
    free(kept);
}

static void say_gone(struct served *b) {
    char text[4096];
    ssize_t n = b->errors >= 0 ? read(b->errors, text, sizeof text - 100) : 0;
    size_t len = n > 0 ? (size_t)n : 0;
    while (len > 0 && text[len - 1] == '\n') len--;
    if (b->asked_to_close) {
        reply_text(b->id, REPLY_GONE, "");
        return;
    }
    if (len == 0 && WIFSIGNALED(b->status)) len = (size_t)snprintf(text, 100, "killed by signal %d", WTERMSIG(b->status));
    if (len == 0) len = (size_t)snprintf(text, 100, "exit code %d", WEXITSTATUS(b->status));
    text[len] = 0;
    reply_text(b->id, REPLY_DIED, text);
}

static void forget(struct served *b) {
    if (b->channel >= 0) close(b->channel);
    if (b->errors >= 0) close(b->errors);
    end_talks_of(b->id);
    remove_traces(b);
    say_gone(b);
    free(b->dir);
    free(b->out);
    *b = boxes[--nboxes];
}

static void reap_boxes(void) {
    int status;
    if (!child_ended) return;
    child_ended = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (size_t i = 0; i < nboxes; i++)
            if (boxes[i].pid == pid) {
                boxes[i].pid = 0;
                if (!boxes[i].is_cleaned) boxes[i].status = status;
            }
}

static int spill_file(const char *prefix, int slot) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s.%d", prefix, slot) >= PATH_MAX) return errno = ENAMETOOLONG, -1;
    return open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* Sends the settings that the box itself needs; see configure() in box.c. */
static int send_settings(int channel, struct reader *r, const struct launch *l, const struct place *place) {
    struct writer msg = {0};
    put_u8(&msg, l->kind);
    put_u32(&msg, l->uid);
    put_u8(&msg, (uint8_t)place->version);
    for (const char *at = r->at; at < r->end; at++) put_u8(&msg, (uint8_t)*at);
    int fds[MAX_FDS], n = 0;
    while (n < SPILL_FILES && (fds[n] = spill_file(place->out, n)) >= 0) n++;
    int ngroup = place->version ? CGROUP_FILES : 0;
    memcpy(fds + n, place->files, (size_t)ngroup * sizeof *fds);
    int result = n < SPILL_FILES ? -1 : send_packet(channel, msg.buf, msg.len, fds, n + ngroup);
    while (n > 0) close(fds[--n]);
    free(msg.buf);
    return result;
}

static void read_files(struct reader *r, struct launch *l) {
    l->nfiles = get_u32(r);
    if (l->nfiles > (size_t)(r->end - r->at) / 14) {
        r->bad = 1;
        l->nfiles = 0;
    }
    l->files = must_alloc(NULL, l->nfiles * sizeof *l->files);
    for (uint32_t i = 0; i < l->nfiles; i++) {
        l->files[i].host = get_text(r, NULL);
        l->files[i].name = get_text(r, NULL);
        l->files[i].mode = get_u32(r);
    }
}

static int start_box(struct launch *l, struct reader *settings, struct served *b) {
    struct place *place = place_of(b->out);
    l->procs = place->version ? place->files[CGROUP_PROCS] : -1;
    int pair[2], errors[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -1;
    if (pipe2(errors, O_CLOEXEC | O_NONBLOCK) < 0) return -1;
    b->channel = pair[0];
    b->errors = errors[0];
    b->pid = launch_box(l, pair[1], errors[1]);
    close(pair[1]);
    close(errors[1]);
    if (b->pid < 0) {
        b->pid = 0;
        return -1;
    }
    return send_settings(b->channel, settings, l, place);
}

static void open_box(uint32_t id, struct reader *r) {
    struct launch l = {0};
    l.kind = get_u8(r);
    l.uid = get_u32(r);
    uint8_t guard_stdin = get_u8(r);
    l.dir = get_text(r, NULL);
    const char *out = get_text(r, NULL);
    l.argv = get_list(r);
    read_files(r, &l);
    struct served b = {.id = id, .channel = -1, .errors = -1,
                       .guard_stdin = guard_stdin, .uid = l.uid, .dir = strdup(l.dir), .out = strdup(out)};
    if (r->bad) die("broken message");
    int failed = start_box(&l, r, &b) < 0 ? errno : 0;
    boxes = must_alloc(boxes, (nboxes + 1) * sizeof *boxes);
    boxes[nboxes++] = b;
    if (failed) {
        if (b.pid > 0) kill(b.pid, SIGKILL);
        boxes[nboxes - 1].status = W_EXITCODE(failed & 0xff, 0);
        hang_up(&boxes[nboxes - 1]);
    }
    free(l.argv);
    free(l.files);
}

/* A copy that nobody can change any more, no matter how the program got its own descriptor of it. */
static int sealed_copy(int from, const char *data, size_t length) {
    int fd = memfd_create("stdin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -1;
    char buf[65536];
    ssize_t n;
    while (from >= 0 && (n = read(from, buf, sizeof buf)) != 0) {
        if (n < 0 || write_all(fd, buf, (size_t)n) < 0) return close(fd), -1;
    }
    if (from < 0 && write_all(fd, data, length) < 0) return close(fd), -1;
    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    lseek(fd, 0, SEEK_SET);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int readable = open(path, O_RDONLY | O_CLOEXEC);
    close(fd);
    return readable;
}

/* Programs may reopen their input as /dev/stdin, and many do; then the file's own mode decides. */
static int can_reopen(const struct served *b, int fd) {
    struct stat st;
    return b->uid == 0 || (fstat(fd, &st) == 0 && (st.st_mode & S_IROTH));
}

static int open_stdin(const struct served *b, uint8_t kind, const char *data, size_t length) {
    if (kind == STDIN_NULL) return open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (kind == STDIN_DATA) return sealed_copy(-1, data, length);
    int fd = open(data, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (!b->guard_stdin && can_reopen(b, fd))) return fd;
    int copy = sealed_copy(fd, NULL, 0);
    close(fd);
    return copy;
}

/* Passes copies, which the program can reopen through /proc/self/fd without access to our paths. */
static int open_given(struct reader *r, int *fds) {
    uint32_t n = get_u32(r);
    int bad = n > MAX_GIVEN ? E2BIG : 0;
    for (uint32_t i = 0; i < n && !r->bad; i++) {
        const char *path = get_text(r, NULL);
        int from = bad ? -1 : open(path, O_RDONLY | O_CLOEXEC);
        int copy = from < 0 ? -1 : sealed_copy(from, NULL, 0);
        if (copy < 0 && !bad) bad = errno;
        if (from >= 0) close(from);
        if (n <= MAX_GIVEN) fds[i] = copy;
    }
    errno = bad;
    return bad ? -1 : (int)n;
}

/*
 * After the box's number come the run's id, the kind of stdin, stdin, and files to pass, all for us; the rest
 * is for the box.
 */
static void pass_run(struct served *b, uint32_t id, struct reader *r) {
    size_t length;
    uint8_t kind = get_u8(r);
    const char *data = get_text(r, &length);
    int fds[2 + MAX_GIVEN] = {-1, -1, -1, -1, -1};
    int ends[2] = {-1, -1};
    if (kind == STDIN_PEER) join_talk(b->id, (uint32_t)strtoul(data, NULL, 10), ends);
    fds[0] = kind == STDIN_PEER ? ends[0] : open_stdin(b, kind, data, length);
    int problem = fds[0] < 0 ? errno : 0;
    if (fds[0] >= 0 && kind == STDIN_PEER && b->uid) fchmod(fds[0], 0666);
    int given = open_given(r, fds + 1);
    if (given < 0 && !problem) problem = errno;
    if (ends[1] >= 0 && given >= 0) fds[1 + given++] = ends[1];
    else if (ends[1] >= 0) close(ends[1]);
    struct writer msg = {0};
    put_u8(&msg, OP_RUN);
    put_u32(&msg, b->id);
    put_u32(&msg, id);
    size_t rest = (size_t)(r->end - r->at);
    msg.buf = must_alloc(msg.buf, msg.len + rest);
    memcpy(msg.buf + msg.len, r->at, rest);
    if (!problem && msg.len + rest > PACKET_MAX) problem = E2BIG;
    /* If the box is gone, its end is reported separately. */
    if (!problem && send_packet(b->channel, msg.buf, msg.len + rest, fds, 1 + given) < 0 && errno == EMSGSIZE)
        problem = E2BIG;
    if (problem) reply_not_started(b->id, id, problem);
    for (int i = 0; i < 2 + MAX_GIVEN; i++)
        if (fds[i] >= 0) close(fds[i]);
    free(msg.buf);
}

static void pass_collect(struct served *b, uint32_t id, struct reader *r) {
    const char *to = get_text(r, NULL);
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct writer msg = {0};
    if (fd < 0) {
        put_u8(&msg, REPLY_COLLECTED);
        put_u32(&msg, id);
        put_u8(&msg, 0);
        put_text(&msg, strerror(errno), strlen(strerror(errno)));
        reply(b->id, msg.buf, msg.len);
    } else {
        put_u8(&msg, OP_COLLECT);
        put_u32(&msg, b->id);
        put_u32(&msg, id);
        while (r->at < r->end) put_u8(&msg, (uint8_t)*r->at++);
        send_packet(b->channel, msg.buf, msg.len, &fd, 1);
        close(fd);
    }
    free(msg.buf);
}

static void handle_frame(const char *data, size_t length) {
    struct reader r = {data, data + length, 0};
    uint8_t op = get_u8(&r);
    uint32_t id = get_u32(&r);
    struct served *b = find_box(id);
    if (op == OP_OPEN) {
        if (!b) open_box(id, &r);
        return;
    }
    /* The box has just died; Node will read that in a moment. */
    if (!b || b->channel < 0) return;
    if (op == OP_CLOSE) {
        b->asked_to_close = 1;
        hang_up(b);
        return;
    }
    uint32_t run = get_u32(&r);
    if (op == OP_RUN) pass_run(b, run, &r);
    else if (op == OP_COLLECT) pass_collect(b, run, &r);
}

/* Reads what Node has sent. Returns 0 at the end of it. */
static int read_node(void) {
    static char *buf;
    static size_t len, cap;
    if (cap - len < 65536) buf = must_alloc(buf, cap = (cap < 65536 ? 65536 : cap) * 2);
    ssize_t n = read(0, buf + len, cap - len);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return 1;
    if (n <= 0) return 0;
    len += (size_t)n;
    size_t at = 0;
    while (len - at >= 4) {
        uint32_t size;
        memcpy(&size, buf + at, 4);
        if (size > MAX_FRAME) die("broken message");
        if (len - at - 4 < size) break;
        handle_frame(buf + at + 4, size);
        at += 4 + size;
    }
    memmove(buf, buf + at, len - at);
    len -= at;
    return 1;
}

static void read_box(struct served *b) {
    static char packet[PACKET_MAX];
    int fds[MAX_FDS], nfds;
    long n = receive_packet(b->channel, packet, sizeof packet, fds, &nfds);
    for (int i = 0; i < nfds; i++) close(fds[i]);
    if (n <= 0) {
        hang_up(b);
        return;
    }
    struct reader r = {packet, packet + n, 0};
    while (r.at < r.end) {
        size_t length = get_u32(&r);
        /* Only a box that somebody has taken over sends this. */
        if (r.bad || length == 0 || length > (size_t)(r.end - r.at)) break;
        add_reply(b->id, r.at, length);
        r.at += length;
    }
    send_replies();
}

/* Kills boxes that were asked to go and did not, and clears up after those that are gone. */
static void settle_boxes(uint64_t now) {
    reap_boxes();
    for (size_t i = 0; i < nboxes;) {
        struct served *b = &boxes[i];
        if (b->pid == 0 && b->channel < 0 && !b->is_cleaned) {
            kill_left_over(b);
            start_cleaning(b);
        }
        if (b->pid == 0 && b->channel < 0) {
            forget(b);
            continue;
        }
        if (b->pid && !b->is_cleaned && b->kill_at && now >= b->kill_at) kill(b->pid, SIGKILL);
        i++;
    }
}

static int wait_for_something(int node_open) {
    static struct pollfd *fds;
    static size_t cap;
    size_t n = nboxes;
    if (cap < n + 1) fds = must_alloc(fds, (cap = n + 16) * sizeof *fds);
    int closing = 0;
    for (size_t i = 0; i < n; i++) {
        fds[i + 1] = (struct pollfd){boxes[i].channel, POLLIN, 0};
        closing |= boxes[i].channel < 0;
    }
    fds[0] = (struct pollfd){node_open ? 0 : -1, POLLIN, 0};
    struct timespec patience = {0, 100000000};
    sigset_t none;
    sigemptyset(&none);
    if (ppoll(fds, n + 1, closing ? &patience : NULL, &none) <= 0) return node_open;
    for (size_t i = 0; i < n; i++)
        if (fds[i + 1].revents) read_box(&boxes[i]);
    /* Last, because it may move entries of `boxes`. */
    return fds[0].revents ? read_node() : node_open;
}

static void on_child(int sig) { child_ended = sig; }

int serve_main(void) {
    setsid();
    prctl(PR_SET_NAME, "resume-run-help");
    /* If a box dies, its programs become our children. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGPIPE, SIG_IGN);
    struct sigaction action = {.sa_handler = on_child};
    sigaction(SIGCHLD, &action, NULL);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_SETMASK, &child, NULL);
    umask(077);
    while (wait_for_something(1)) settle_boxes(now_ns());
    for (size_t i = 0; i < nboxes; i++) hang_up(&boxes[i]);
    /* Node may be gone: nothing we write matters any more. */
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(null, 1);
    while (settle_boxes(now_ns()), nboxes > 0) wait_for_something(0);
    remove_places();
    return 0;
}
