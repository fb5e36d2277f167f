#define _GNU_SOURCE
#include "run.h"
#include "clock.h"
#include "confine.h"
#include "scratch.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STDERR_KEPT 16384
/* Taken from a pipe at once. */
#define CHUNK 65536
/*
 * Of what a program says to its peer, so much is taken before that reads it: two that both speak at length before they listen must
 * not wait for each other. Judging systems have pipes of 1 MiB for it, some of them two with a proxy in between.
 */
#define TALK_AHEAD (2u << 20)
/* Of what a program says to its peer, so many pieces are told apart by time. */
#define MOST_MARKS 2048
#define MAX_INODES 20000
/* Timers and queued signals take from what the kernel has for all programs of a user. */
#define MOST_TIMERS 1024
/* Short programs are the many: they end before the first look at /proc. */
#define FIRST_TICK_NS 10000000ull
#define LATER_TICK_NS 20000000ull
/*
 * Before that a program's output is left in its pipes: most programs that end so soon print little, and are then worth one
 * wake-up, not one for each thing they do.
 */
#define QUIET_NS 2000000ull
/* Times in /proc are rounded, differently for the living and the dead. */
#define ROUNDING_NS 50000000ull
#define MOST_EXTENSIONS 9
#define MOST_EXTENSIONS_FOR_PEERS 4
#define SOON_NS 1000000000ull
/* Threads take with them what they waited: of those that end, no more may be missed than they waited in this time. */
#define DELAY_TICK_NS 100000000ull
#define SILENCE_NS 25000000ull

struct sink {
    int fd, file; /* file: -1 for none */
    uint64_t bytes, limit;
    uint64_t file_bytes, file_max; /* in the file; the most that may be, 0: as many as `limit` allows */
    char *kept;
    size_t kept_len, kept_cap;
    int spilled, over;
    int peer; /* -1: none */
    char *pending; /* of TALK_AHEAD bytes: what was read, and not yet taken by the peer, is in between the two places */
    size_t pending_from, pending_to;
    struct writer *marks; /* when how many bytes came, for a transcript; NULL: none are kept */
};

struct watch {
    struct box *box;
    const struct request *req;
    pid_t pid;
    uint64_t start, next_tick, ended;
    uint64_t fell_silent; /* when its stdout was closed; 0: it is open */
    uint64_t wall_end; /* 0: never */
    uint64_t machine_delay; /* at the start of a program with a peer */
    uint64_t delay_seen, delay_lost, next_delay_look; /* what its threads waited for a processor: of the living, of the dead */
    struct sink out, err;
    struct reaped reaped;
    uint64_t tree_peak, cpu_seen, cpu_lost;
    uint64_t cpu_counted; /* by the control group, of all that has run; 0: not known */
    uint64_t next_shared_look, machine_shared; /* the machine's at the first look */
    uint64_t scratch_changed; /* when something was last made in its folders, where these are memory, at the start */
    int looks_beyond;         /* one after the other that found more memory than may be */
    uint8_t limit;
    int start_errno, hung_up;
};

static void set_limit(int which, uint64_t value) {
    struct rlimit old, both = {value, value};
    /* An ordinary user cannot raise a hard limit: take what there is. */
    if (setrlimit(which, &both) == 0 || getrlimit(which, &old) < 0) return;
    if (old.rlim_max < both.rlim_max) both.rlim_cur = both.rlim_max = old.rlim_max;
    setrlimit(which, &both);
}

/* The hard limit stays: programs raise their stack, to infinity too, and what they use of it counts as memory. */
static void set_stack(uint64_t value) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) < 0) return;
    limit.rlim_cur = value < limit.rlim_max ? value : limit.rlim_max;
    setrlimit(RLIMIT_STACK, &limit);
}

static void limit_program(const struct box *box, const struct request *req) {
    /* One byte is less than any dump. None at all would still start the program that a machine pipes its dumps to. */
    set_limit(RLIMIT_CORE, 1);
    if (req->processes) {
        set_limit(RLIMIT_NPROC, req->processes + box->others);
        set_limit(RLIMIT_MSGQUEUE, 0);
        set_limit(RLIMIT_SIGPENDING, MOST_TIMERS);
        set_limit(RLIMIT_MEMLOCK, 65536);
    }
    if (req->files) set_limit(RLIMIT_NOFILE, req->files);
    if (req->file_size) set_limit(RLIMIT_FSIZE, req->file_size);
    if (req->stack) set_stack(req->stack);
    if (req->address_space) set_limit(RLIMIT_AS, req->address_space);
    if (req->cpu_ns) set_limit(RLIMIT_CPU, req->cpu_ns / 1000000000ull + 2);
}

/* Handlers end with exec; what is ignored or blocked would not. */
static void default_signals(void) {
    signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int is_confined(const struct box *box) { return box->own_namespace || *box->readable; }

static enum filter filter_of(const struct box *box) {
    if (box->own_namespace) return FILTER_INSIDE;
    return box->uid || box->compiles ? FILTER_OTHER : FILTER_AS_US;
}

/* Where the group runs out of memory, the program goes, not what watches it. */
static void be_killed_first(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (write(fd, "1000", 4) < 0) errno = 0;
    close(fd);
}

static __attribute__((noreturn)) void not_started(volatile int *error) {
    *error = errno;
    _exit(127);
}

/* Runs in the child, in our memory until exec (vfork): touches nothing that we use but `*error`. */
static void become_program(struct box *box, const struct request *req, const int *std, int ruleset, volatile int *error) {
    /* A group of its own is enough, for serve has left our session; one more session would cost a scheduling group each. */
    setpgid(0, 0);
    if (req->processes) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (enter_ruleset(ruleset) < 0) not_started(error);
    for (int i = 0; i < 3; i++) dup2(std[i], i);
    /* Moved up first: a number that is still to be copied must not be overwritten. */
    int high[MAX_GIVEN];
    for (int i = 0; i < req->ngiven; i++) high[i] = fcntl(req->given[i], F_DUPFD, 64);
    for (int i = 0; i < req->ngiven; i++) dup2(high[i], 3 + i);
    syscall(SYS_close_range, 3 + req->ngiven, ~0u, 0);
    default_signals();
    limit_program(box, req);
    if (box->cgroup.version) be_killed_first();
    if (box->uid) {
        umask(022);
        gid_t gid = (gid_t)box->uid;
        if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, gid, gid, gid) < 0 ||
            syscall(SYS_setresuid, box->uid, box->uid, box->uid) < 0)
            not_started(error);
    }
    if (*box->cwd && chdir(box->cwd) < 0) not_started(error);
    if (req->processes && is_confined(box) && !box->filtered && enter_filter(filter_of(box)) < 0) not_started(error);
    execvpe(req->argv[0], req->argv, box->env);
    not_started(error);
}

/* By its folder where that is as safe: the kernel copies all rules for each program, which as many as inputs would make slow. */
static void allow_input(struct box *box, int fd) {
    char link[32], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = box->uid ? readlink(link, path, sizeof path - 1) : -1;
    path[n > 0 ? n : 0] = 0;
    char *name = strrchr(path, '/');
    if (name) *name = 0;
    if (name && box->inputs && strcmp(path, box->inputs) == 0) return;
    if (!name || !allow_reading_below(box->ruleset, path)) {
        allow_reading(box->ruleset, fd);
        return;
    }
    free(box->inputs);
    box->inputs = strdup(path);
}

/* Rules for each run anew would cost more than many a run; earlier inputs of the same programs may stay readable. */
static int ruleset_of(struct box *box, int stdin_fd) {
    if (!*box->readable) return -1;
    if (!box->ruleset) box->ruleset = files_ruleset(box->readable, box->clean);
    if (box->ruleset >= 0) allow_input(box, stdin_fd);
    return box->ruleset;
}

/* Once for all runs of a box: the kernel compiles a filter whenever it is put on. */
static void filter_all(struct box *box) {
    if (box->filtered || !is_confined(box) || filter_of(box) == FILTER_AS_US) return;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && enter_filter(filter_of(box)) == 0) box->filtered = 1;
}

static __attribute__((noinline)) pid_t start_program(struct box *box, const struct request *req, int out, int err,
                                                     volatile int *error) {
    int std[3] = {req->stdin_fd, out, err};
    int ruleset = ruleset_of(box, req->stdin_fd);
    if (req->processes) filter_all(box);
    pid_t pid = vfork();
    if (pid == 0) become_program(box, req, std, ruleset, error);
    return pid;
}

/* What is beyond the file's bound is counted, and let go. */
static int add_to_file(struct sink *s, const char *data, size_t n) {
    uint64_t room = s->file_max ? s->file_max - s->file_bytes : UINT64_MAX;
    if (n > room) n = (size_t)room;
    s->file_bytes += n;
    return write_all(s->file, data, n);
}

/* Moves to the file what was kept in memory so far. */
static int begin_file(struct sink *s) {
    if (ftruncate(s->file, 0) < 0 || lseek(s->file, 0, SEEK_SET) < 0) return -1;
    return add_to_file(s, s->kept, s->kept_len);
}

static size_t pending(const struct sink *s) { return s->pending_to - s->pending_from; }

/* Whether a peer that does not read still lets us take what the program says. */
static int may_take_more(const struct sink *s) { return s->peer < 0 || pending(s) + CHUNK <= TALK_AHEAD; }

static void hang_up_on_peer(struct sink *s) {
    if (s->peer >= 0) close(s->peer);
    s->peer = -1;
    s->pending_from = s->pending_to = 0;
}

/* Hands on what the peer takes now. A peer that is gone takes nothing, and the program never learns of it. */
static void hand_on(struct sink *s) {
    while (s->peer >= 0 && pending(s) > 0) {
        ssize_t n = write(s->peer, s->pending + s->pending_from, pending(s));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) {
            hang_up_on_peer(s);
            return;
        }
        s->pending_from += (size_t)n;
    }
    if (pending(s) == 0) s->pending_from = s->pending_to = 0;
}

static void keep_for_peer(struct sink *s, const char *data, size_t n) {
    if (s->pending_to + n > TALK_AHEAD) {
        memmove(s->pending, s->pending + s->pending_from, pending(s));
        s->pending_to = pending(s);
        s->pending_from = 0;
    }
    memcpy(s->pending + s->pending_to, data, n);
    s->pending_to += n;
    hand_on(s);
}

static void mark(struct sink *s, size_t n) {
    if (!s->marks || s->marks->len >= MOST_MARKS * 12) return;
    put_u64(s->marks, now_ns());
    put_u32(s->marks, (uint32_t)n);
}

/* Takes what a pipe holds now; closes it at its end. */
static void drain(struct sink *s) {
    static char chunk[CHUNK];
    hand_on(s);
    while (s->fd >= 0 && may_take_more(s)) {
        ssize_t n = read(s->fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            close(s->fd);
            s->fd = -1;
            return;
        }
        mark(s, (size_t)n);
        s->bytes += (uint64_t)n;
        if (s->limit && s->bytes > s->limit) {
            s->over = 1;
            return;
        }
        size_t room = s->kept_cap - s->kept_len;
        size_t fits = (size_t)n < room ? (size_t)n : room;
        int is_bounded = s->limit || s->file_max;
        if (s->file >= 0 && is_bounded && !s->spilled && fits < (size_t)n) s->spilled = begin_file(s) < 0 ? -1 : 1;
        memcpy(s->kept + s->kept_len, chunk, fits);
        s->kept_len += fits;
        if (s->spilled > 0 && add_to_file(s, chunk, (size_t)n) < 0) s->spilled = -1;
        if (s->peer >= 0) keep_for_peer(s, chunk, (size_t)n);
        if ((size_t)n < sizeof chunk) return;
    }
}

/* What the kernel counted where that is more than we saw: processes that nobody waited for, and that no look found alive. */
static uint64_t more_of(uint64_t seen, uint64_t counted) { return counted > seen + ROUNDING_NS ? counted : seen; }

static uint64_t cpu_so_far(struct watch *w, const struct usage *live) {
    uint64_t cpu = w->reaped.cpu_ns + live->cpu_ns;
    /* Children of a parent that ignores SIGCHLD vanish without being added to it: what was seen still counts. */
    if (cpu + ROUNDING_NS < w->cpu_seen) w->cpu_lost += w->cpu_seen - cpu;
    w->cpu_seen = cpu;
    return more_of(cpu + w->cpu_lost, cgroup_cpu(&w->box->cgroup));
}

/* Bytes in the box's folders, where these are file systems in memory. They have bounds of their own, and count as no memory. */
static uint64_t scratch_used(const struct box *box) {
    uint64_t sum = 0;
    if (box->own_namespace)
        for (char **dir = box->clean; *dir; dir++) sum += bytes_used(*dir);
    return sum;
}

static uint64_t scratch_size(const struct box *box) {
    uint64_t sum = 0;
    if (box->own_namespace)
        for (char **dir = box->clean; *dir; dir++) sum += bytes_in_all(*dir);
    return sum;
}

/* What a control group counts beside the program's pages: page tables, stacks of the kernel, what processors hold back. */
static uint64_t tolerated(uint64_t memory) { return memory + memory / 32 + (16u << 20); }

/* Changes with every file that is made in a box's folders, or removed from them: they are empty when a program starts. */
static uint64_t scratch_changed(const struct box *box) {
    uint64_t sum = 0;
    struct stat st;
    if (box->own_namespace)
        for (char **dir = box->clean; *dir; dir++)
            if (stat(*dir, &st) == 0) sum += st.st_ctim.tv_sec * 1000000000ull + st.st_ctim.tv_nsec;
    return sum;
}

/* Bytes of files among what the control group counts now, which have limits of their own. */
static uint64_t file_bytes(const struct watch *w) { return scratch_used(w->box) + cgroup_file_cache(&w->box->cgroup); }

/* @returns whether `counted` is too much beside `files` */
static int is_beyond(const struct watch *w, uint64_t counted, uint64_t files) {
    return counted > files && counted - files > tolerated(w->req->memory);
}

static void exceed_memory(struct watch *w, uint64_t bytes) {
    if (bytes > w->tree_peak) w->tree_peak = bytes;
    if (!w->limit) w->limit = LIMIT_MEMORY;
}

/* Looks that must find too much, one after the other: a file may be removed between two numbers that one look reads. */
#define LOOKS_BEYOND 3

/* Memory that the kernel counts now beyond what a look at processes finds: buffers of sockets and pipes, files in memory. */
static void judge_usage(struct watch *w) {
    struct cgroup *group = &w->box->cgroup;
    if (!group->version || !w->req->memory) return;
    uint64_t before = file_bytes(w), counted = cgroup_usage(group), after = file_bytes(w);
    uint64_t files = before > after ? before : after;
    w->looks_beyond = is_beyond(w, counted, files) ? w->looks_beyond + 1 : 0;
    if (w->looks_beyond >= LOOKS_BEYOND) exceed_memory(w, counted - files);
}

/*
 * The most that the kernel counted, which finds bursts between two looks. Where a file was made, nobody knows how large it was at that
 * moment, so as much is taken off as the folders hold: the kernel's limit leaves room for no more.
 */
static void judge_peak(struct watch *w) {
    struct box *box = w->box;
    uint64_t files = scratch_changed(box) == w->scratch_changed ? file_bytes(w) : box->scratch_size + cgroup_file_cache(&box->cgroup);
    uint64_t peak = cgroup_peak(&box->cgroup);
    if (is_beyond(w, peak, files)) exceed_memory(w, peak - files);
}

/* A program's own end says nothing where the kernel took its memory away. */
static void judge_group(struct watch *w) {
    struct cgroup *group = &w->box->cgroup;
    if (!group->version || !w->req->memory) return;
    judge_peak(w);
    if (cgroup_has_killed(group)) exceed_memory(w, w->req->memory);
}

#define SHARED_TICK_NS 100000000ull

/*
 * Without a control group: shared memory that is in nobody's page tables, as it is once a process has let go of it. A look at what is
 * mapped does not tell what was touched, and is worth its time only if the machine's shared memory has grown by as much.
 */
static void judge_shared(struct watch *w, uint64_t now) {
    uint64_t memory = w->req->memory;
    if (!memory || w->box->cgroup.version || now < w->next_shared_look) return;
    w->next_shared_look = now + SHARED_TICK_NS;
    uint64_t segments = w->box->own_namespace ? ipc_bytes() : 0, machine = machine_shared();
    if (segments > memory) exceed_memory(w, segments);
    if (!w->machine_shared) w->machine_shared = machine + 1;
    if (machine <= w->machine_shared + memory) return;
    uint64_t mapped = tree_shared(w->box->reach);
    if (mapped > memory) exceed_memory(w, mapped);
}

static uint64_t delay_so_far(struct watch *w, uint64_t now) {
    uint64_t living = tree_delay(w->box->reach);
    if (living < w->delay_seen) w->delay_lost += w->delay_seen - living;
    w->delay_seen = living;
    w->next_delay_look = now + DELAY_TICK_NS;
    return living + w->delay_lost;
}

static void tick(struct watch *w, uint64_t now) {
    const struct request *req = w->req;
    if (req->cpu_ns || req->memory) {
        struct usage live = tree_usage(w->box->reach, req->memory ? req->memory / 2 : UINT64_MAX);
        if (live.memory > w->tree_peak) w->tree_peak = live.memory;
        uint64_t cpu = cpu_so_far(w, &live);
        if (req->cpu_ns && cpu > req->cpu_ns) w->limit = LIMIT_CPU;
        if (req->memory && live.memory > req->memory) w->limit = LIMIT_MEMORY;
    }
    if (req->cpu_ns && now - w->start >= SOON_NS && now >= w->next_delay_look) delay_so_far(w, now);
    judge_usage(w);
    judge_shared(w, now);
    if (w->box->own_namespace)
        for (char **dir = w->box->clean; *dir; dir++)
            if (inodes_used(*dir) > MAX_INODES) w->limit = LIMIT_FILES;
    w->next_tick = now + (now - w->start < SOON_NS ? FIRST_TICK_NS : LATER_TICK_NS);
}

static void wait_a_moment(struct watch *w, uint64_t now) {
    int listening = w->req->talk || now - w->start >= QUIET_NS;
    uint64_t until = listening ? w->next_tick : w->start + QUIET_NS;
    if (w->wall_end && w->wall_end < until) until = w->wall_end;
    if (replies_due(&w->box->replies) < until) until = replies_due(&w->box->replies);
    uint64_t left = until > now ? until - now : 0;
    struct timespec timeout = {(time_t)(left / 1000000000ull), (long)(left % 1000000000ull)};
    int is_waited_for = pending(&w->out) > 0;
    struct pollfd fds[4] = {{w->box->replies.channel, POLLRDHUP, 0},
                            {listening && may_take_more(&w->out) ? w->out.fd : -1, POLLIN, 0},
                            {listening ? w->err.fd : -1, POLLIN, 0},
                            {w->out.peer, is_waited_for ? POLLOUT : 0, 0}};
    sigset_t none;
    sigemptyset(&none);
    /* SIGCHLD is blocked but in here: the end of a child ends the wait, and never comes unseen. */
    if (ppoll(fds, 4, &timeout, &none) < 0) return;
    if (fds[0].revents & (POLLRDHUP | POLLHUP | POLLERR)) w->hung_up = 1;
    if (fds[3].revents & POLLERR) hang_up_on_peer(&w->out);
    if (fds[1].revents || fds[3].revents) drain(&w->out);
    if (fds[2].revents) drain(&w->err);
    if (w->out.over || w->err.over) w->limit = LIMIT_OUTPUT;
}

/* The last words of a program that has ended. Its peer may take its time over them: that has limits of its own, and hears all until its end. */
static void finish_talk(struct watch *w) {
    while (w->out.peer >= 0) {
        drain(&w->out);
        if (w->out.over || pending(&w->out) == 0) break;
        struct pollfd fds[2] = {{w->out.peer, POLLOUT, 0}, {w->box->replies.channel, POLLRDHUP, 0}};
        if (poll(fds, 2, 100) > 0 && (fds[0].revents & POLLERR || fds[1].revents)) break;
    }
    hang_up_on_peer(&w->out);
}

/*
 * Where CPU time decides, wall time only ends sleepers: the time that a program waited for a processor on a busy machine is
 * given back to it. 1 if that moves the end.
 */
static int extend_wall(struct watch *w, uint64_t now) {
    if (!w->req->cpu_ns) return 0;
    uint64_t waited = delay_so_far(w, now), most = w->req->wall_ns * MOST_EXTENSIONS;
    /*
     * What waits for a processor may be its peer, in a box that we cannot look into: then the machine has to be asked. It says the
     * same in a deadlock, which must not last for that long.
     */
    if (w->req->talk) {
        uint64_t elsewhere = machine_delay() - w->machine_delay, most_elsewhere = w->req->wall_ns * MOST_EXTENSIONS_FOR_PEERS;
        if (elsewhere > most_elsewhere) elsewhere = most_elsewhere;
        if (elsewhere > waited) waited = elsewhere;
    }
    w->wall_end = w->start + w->req->wall_ns + (waited < most ? waited : most);
    return w->wall_end > now;
}

/*
 * A validator that closes its stdout and goes on wants its peer to know. One that ends closes it too, a moment before it can
 * be waited for: its peer must not learn of it, and end in turn, before we know who ended first.
 */
static void pass_silence_on(struct watch *w, uint64_t now) {
    if (w->req->talk != TALK_UNTIL_CLOSED || w->out.fd >= 0 || pending(&w->out) > 0) return;
    if (!w->fell_silent) w->fell_silent = now;
    if (now - w->fell_silent > SILENCE_NS) hang_up_on_peer(&w->out);
}

static void watch_program(struct watch *w) {
    for (;;) {
        int none_left = tree_reap(w->pid, &w->reaped) < 0;
        uint64_t now = now_ns();
        if (w->reaped.main_done) {
            if (none_left) return;
            break;
        }
        pass_silence_on(w, now);
        if (w->wall_end && now >= w->wall_end && !extend_wall(w, now)) w->limit = LIMIT_WALL;
        else if (now >= w->next_tick) tick(w, now);
        if (now >= replies_due(&w->box->replies) && flush_replies(&w->box->replies) < 0) w->hung_up = 1;
        if (w->limit || w->hung_up) break;
        wait_a_moment(w, now);
    }
    /* One last look at what is about to be killed: a short-lived crowd may never have been seen by a tick. */
    if (w->reaped.main_done && w->req->memory) {
        struct usage live = tree_usage(w->box->reach, w->req->memory / 2);
        if (live.memory > w->tree_peak) w->tree_peak = live.memory;
    }
}

static struct sink make_sink(const struct box *box, const struct request *req, int *write_end, char *kept, size_t cap, int file) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) die("pipe");
    /* So that another user's program can open its /dev/stdout. */
    if (box->uid) fchmod(ends[1], 0666);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *write_end = ends[1];
    return (struct sink){.fd = ends[0], .file = file, .peer = -1, .limit = req->output, .file_max = req->file_max, .kept = kept, .kept_cap = cap};
}

/* What was reaped, or what was seen alive if that is more: children that nobody waits for die uncounted. */
static uint64_t total_cpu(const struct watch *w) {
    uint64_t counted = w->reaped.cpu_ns > w->cpu_seen ? w->reaped.cpu_ns : w->cpu_seen;
    return more_of(counted + w->cpu_lost, w->cpu_counted);
}

static uint8_t spilled_as_sent(const struct sink *s) { return s->spilled > 0 ? 1 : s->spilled < 0 ? 2 : 0; }

static int reply_result(struct watch *w, uint64_t wall) {
    static struct writer msg;
    int status = w->reaped.main_status;
    uint64_t peak = w->reaped.peak > w->tree_peak ? w->reaped.peak : w->tree_peak;
    msg.len = 0;
    put_u8(&msg, REPLY_RESULT);
    put_u32(&msg, w->req->id);
    put_u32(&msg, (uint32_t)w->start_errno);
    put_u8(&msg, WIFSIGNALED(status) ? 1 : 0);
    put_u32(&msg, (uint32_t)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
    put_u64(&msg, total_cpu(w));
    put_u64(&msg, wall);
    put_u64(&msg, peak);
    put_u8(&msg, w->limit);
    put_u64(&msg, w->out.bytes);
    put_u64(&msg, w->err.bytes);
    put_u8(&msg, spilled_as_sent(&w->out));
    put_u8(&msg, spilled_as_sent(&w->err));
    put_text(&msg, w->out.kept, w->out.kept_len);
    put_text(&msg, w->err.kept, w->err.kept_len);
    put_u64(&msg, w->ended);
    put_text(&msg, w->out.marks ? w->out.marks->buf : "", w->out.marks ? w->out.marks->len : 0);
    return hold_reply(&w->box->replies, msg.buf, msg.len, w->req->bytes);
}

int tidy_up(struct box *box) {
    int result = 0;
    for (char **dir = box->clean; *dir; dir++) {
        /* A tmpfs of our own that holds nothing needs no look inside. */
        if (box->own_namespace && inodes_used(*dir) == 0) chmod(*dir, 0700);
        else if (empty_folder(*dir) < 0) result = -1;
    }
    if (box->own_namespace) remove_ipc();
    return result;
}

int run_program(struct box *box, const struct request *req) {
    static char *kept, kept_err[STDERR_KEPT];
    static size_t kept_cap;
    if (req->inline_max > kept_cap) kept = must_alloc(kept, kept_cap = req->inline_max);
    int out, err;
    volatile int error = 0;
    struct watch w = {.box = box, .req = req};
    int err_file = req->err_slot == NO_SLOT ? -1 : box->spill[req->err_slot % SPILL_FILES];
    w.out = make_sink(box, req, &out, kept, req->inline_max, box->spill[req->slot % SPILL_FILES]);
    w.err = make_sink(box, req, &err, kept_err, sizeof kept_err, err_file);
    static struct writer marks;
    static char *ahead;
    if (req->talk) {
        marks.len = 0;
        w.out.marks = &marks;
        if (!ahead) ahead = must_alloc(NULL, TALK_AHEAD);
        w.out.pending = ahead;
        w.out.peer = req->peer_fd;
        fcntl(req->peer_fd, F_SETFL, O_NONBLOCK);
    }
    if (box->cgroup.version) {
        if (!box->scratch_size) box->scratch_size = scratch_size(box);
        cgroup_begin(&box->cgroup, req->memory ? tolerated(req->memory) + box->scratch_size : 0, req->processes);
    }
    w.scratch_changed = scratch_changed(box);
    w.start = now_ns();
    if (req->talk) w.machine_delay = machine_delay();
    w.next_tick = w.start + FIRST_TICK_NS;
    w.wall_end = req->wall_ns ? w.start + req->wall_ns : 0;
    w.pid = start_program(box, req, out, err, &error);
    w.start_errno = w.pid < 0 ? errno : error;
    close(out);
    close(err);
    close(req->stdin_fd);
    for (int i = 0; i < req->ngiven; i++) close(req->given[i]);
    if (w.pid > 0) watch_program(&w);
    w.ended = now_ns();
    uint64_t wall = w.ended - w.start;
    judge_group(&w);
    int killed = w.pid > 0 ? tree_kill(box->reach, box->uid, w.pid, &w.reaped) : 0;
    w.cpu_counted = cgroup_cpu(&box->cgroup);
    finish_talk(&w);
    if (w.limit != LIMIT_OUTPUT) {
        drain(&w.out);
        drain(&w.err);
        if ((w.out.over || w.err.over) && !w.limit) w.limit = LIMIT_OUTPUT;
    }
    if (w.out.fd >= 0) close(w.out.fd);
    if (w.err.fd >= 0) close(w.err.fd);
    if (w.hung_up || reply_result(&w, wall) < 0) return -1;
    if (killed < 0) return -1;
    return req->keep ? 0 : tidy_up(box);
}
