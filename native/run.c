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
/* Bytes read from a pipe at once. */
#define CHUNK 65536
/*
 * How much of a program's output is taken before its peer reads it: two programs that both write a lot before
 * they read must not wait for each other. Judging systems use pipes of 1 MiB for this, some of them two with a
 * proxy in between.
 */
#define TALK_AHEAD (2u << 20)
/* The most pieces of a program's output to its peer that get timestamps of their own. */
#define MOST_MARKS 2048
#define MAX_INODES 20000
/* Timers and queued signals count against a kernel limit shared by all programs of a user. */
#define MOST_TIMERS 1024
/* Most programs are short: they end before the first look at /proc. */
#define FIRST_TICK_NS 10000000ull
#define LATER_TICK_NS 20000000ull
/*
 * Until then, a program's output is left in its pipes: most programs that end this soon print little, and are
 * worth a single wake-up rather than one for each thing they do.
 */
#define QUIET_NS 2000000ull
/* Times in /proc are rounded, and differently for living and dead processes. */
#define ROUNDING_NS 50000000ull
#define MOST_EXTENSIONS 9
#define MOST_EXTENSIONS_FOR_PEERS 4
#define SOON_NS 1000000000ull
/*
 * A thread's waiting time is lost when it ends. Looking this often bounds that loss to what it waited within
 * one interval.
 */
#define DELAY_TICK_NS 100000000ull
#define SILENCE_NS 25000000ull

struct sink {
    int fd, file; /* file: -1 for none */
    uint64_t bytes, limit;
    uint64_t file_bytes, file_max; /* in the file, and its limit; 0: as many as `limit` allows */
    char *kept;
    size_t kept_len, kept_cap;
    int spilled, over;
    int peer; /* -1: none */
    char *pending; /* TALK_AHEAD bytes; output that the peer has yet to take is in between the two positions */
    size_t pending_from, pending_to;
    struct writer *marks; /* when how many bytes came, for a transcript; NULL: not recorded */
};

struct watch {
    struct box *box;
    const struct request *req;
    pid_t pid;
    uint64_t start, next_tick, ended;
    uint64_t fell_silent; /* when its stdout was closed; 0: still open */
    uint64_t wall_end; /* 0: never */
    uint64_t machine_delay; /* at the start of a program with a peer */
    uint64_t delay_seen, delay_lost, next_delay_look; /* waiting for a processor: living threads, dead ones */
    struct sink out, err;
    struct reaped reaped;
    uint64_t tree_peak, cpu_seen, cpu_lost;
    uint64_t cpu_counted; /* by the control group, for everything that has run; 0: unknown */
    uint64_t next_shared_look, machine_shared; /* the latter at the first look */
    uint64_t scratch_changed; /* scratch_changed() at the start */
    int looks_beyond;         /* consecutive ones that found too much memory */
    uint8_t limit;
    int start_errno, hung_up;
};

static void set_limit(int which, uint64_t value) {
    struct rlimit old, both = {value, value};
    /* An ordinary user cannot raise a hard limit, so settle for the current one. */
    if (setrlimit(which, &both) == 0 || getrlimit(which, &old) < 0) return;
    if (old.rlim_max < both.rlim_max) both.rlim_cur = both.rlim_max = old.rlim_max;
    setrlimit(which, &both);
}

/*
 * The hard limit is left alone: programs raise their stack limit, even to infinity, and the stack they use
 * counts as memory.
 */
static void set_stack(uint64_t value) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) < 0) return;
    limit.rlim_cur = value < limit.rlim_max ? value : limit.rlim_max;
    setrlimit(RLIMIT_STACK, &limit);
}

static void limit_program(const struct box *box, const struct request *req) {
    /* One byte is less than any core dump. Zero would still start a program that the machine pipes dumps to. */
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

/* exec resets signal handlers, but not signals that are ignored or blocked. */
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

/* If the group runs out of memory, the program should be killed, not the process that watches it. */
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

/* Runs in the child, in our memory until exec (vfork), so it must not touch anything we use except `*error`. */
static void become_program(struct box *box, const struct request *req, const int *std, int ruleset, volatile int *error) {
    /*
     * A process group of its own is enough, because serve has left our session; one more session each would
     * cost a scheduling group each.
     */
    setpgid(0, 0);
    if (req->processes) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (enter_ruleset(ruleset) < 0) not_started(error);
    for (int i = 0; i < 3; i++) dup2(std[i], i);
    /* Moved to high numbers first, so that no descriptor is overwritten before it has been copied. */
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

/*
 * Allows the input's folder where that is just as safe: the kernel copies all rules for each program, so one
 * rule per input would be slow.
 */
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

/* A new ruleset per run would cost more than many runs; earlier inputs of the same programs may stay readable. */
static int ruleset_of(struct box *box, int stdin_fd) {
    if (!*box->readable) return -1;
    if (!box->ruleset) box->ruleset = files_ruleset(box->readable, box->clean);
    if (box->ruleset >= 0) allow_input(box, stdin_fd);
    return box->ruleset;
}

/* Done once for all runs of a box, because the kernel compiles a filter each time it is installed. */
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

/* Bytes beyond the file's limit are counted but dropped. */
static int add_to_file(struct sink *s, const char *data, size_t n) {
    uint64_t room = s->file_max ? s->file_max - s->file_bytes : UINT64_MAX;
    if (n > room) n = (size_t)room;
    s->file_bytes += n;
    return write_all(s->file, data, n);
}

/* Moves what has been kept in memory so far to the file. */
static int begin_file(struct sink *s) {
    if (ftruncate(s->file, 0) < 0 || lseek(s->file, 0, SEEK_SET) < 0) return -1;
    return add_to_file(s, s->kept, s->kept_len);
}

static size_t pending(const struct sink *s) { return s->pending_to - s->pending_from; }

/* Whether we may still take the program's output even if its peer does not read. */
static int may_take_more(const struct sink *s) { return s->peer < 0 || pending(s) + CHUNK <= TALK_AHEAD; }

static void hang_up_on_peer(struct sink *s) {
    if (s->peer >= 0) close(s->peer);
    s->peer = -1;
    s->pending_from = s->pending_to = 0;
}

/* Passes on what the peer accepts now. If the peer is gone, the output is dropped without the program knowing. */
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

/* Reads what a pipe holds now, and closes it at its end. */
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

/* The kernel's count if it exceeds ours: it includes processes never waited for and never seen alive. */
static uint64_t more_of(uint64_t seen, uint64_t counted) { return counted > seen + ROUNDING_NS ? counted : seen; }

static uint64_t cpu_so_far(struct watch *w, const struct usage *live) {
    uint64_t cpu = w->reaped.cpu_ns + live->cpu_ns;
    /*
     * Children of a parent that ignores SIGCHLD vanish without being added to its times; what we saw of them
     * still counts.
     */
    if (cpu + ROUNDING_NS < w->cpu_seen) w->cpu_lost += w->cpu_seen - cpu;
    w->cpu_seen = cpu;
    return more_of(cpu + w->cpu_lost, cgroup_cpu(&w->box->cgroup));
}

/* Bytes used in the box's folders if these are in memory; they have limits of their own and are not counted. */
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

/* Allows for what a control group also counts: page tables, kernel stacks, per-processor reserves. */
static uint64_t tolerated(uint64_t memory) { return memory + memory / 32 + (16u << 20); }

/* Changes when a file is created in or removed from a box's folders, which are empty when a program starts. */
static uint64_t scratch_changed(const struct box *box) {
    uint64_t sum = 0;
    struct stat st;
    if (box->own_namespace)
        for (char **dir = box->clean; *dir; dir++)
            if (stat(*dir, &st) == 0) sum += st.st_ctim.tv_sec * 1000000000ull + st.st_ctim.tv_nsec;
    return sum;
}

/* Bytes of files included in the control group's current usage; files have limits of their own. */
static uint64_t file_bytes(const struct watch *w) { return scratch_used(w->box) + cgroup_file_cache(&w->box->cgroup); }

/* @returns whether `counted`, less `files`, is too much */
static int is_beyond(const struct watch *w, uint64_t counted, uint64_t files) {
    return counted > files && counted - files > tolerated(w->req->memory);
}

static void exceed_memory(struct watch *w, uint64_t bytes) {
    if (bytes > w->tree_peak) w->tree_peak = bytes;
    if (!w->limit) w->limit = LIMIT_MEMORY;
}

/* Consecutive looks that must find too much: a file may be removed between two numbers that one look reads. */
#define LOOKS_BEYOND 3

/* Memory that only the kernel shows, not a look at processes: socket and pipe buffers, files in memory. */
static void judge_usage(struct watch *w) {
    struct cgroup *group = &w->box->cgroup;
    if (!group->version || !w->req->memory) return;
    uint64_t before = file_bytes(w), counted = cgroup_usage(group), after = file_bytes(w);
    uint64_t files = before > after ? before : after;
    w->looks_beyond = is_beyond(w, counted, files) ? w->looks_beyond + 1 : 0;
    if (w->looks_beyond >= LOOKS_BEYOND) exceed_memory(w, counted - files);
}

/*
 * The kernel's peak count, which catches bursts between two looks. If a file was created, its size at the peak
 * is unknown, so the full capacity of the folders is subtracted; the kernel's limit leaves room for no more.
 */
static void judge_peak(struct watch *w) {
    struct box *box = w->box;
    uint64_t files = scratch_changed(box) == w->scratch_changed ? file_bytes(w) : box->scratch_size + cgroup_file_cache(&box->cgroup);
    uint64_t peak = cgroup_peak(&box->cgroup);
    if (is_beyond(w, peak, files)) exceed_memory(w, peak - files);
}

/* How the program itself ended means nothing if the kernel took its memory away. */
static void judge_group(struct watch *w) {
    struct cgroup *group = &w->box->cgroup;
    if (!group->version || !w->req->memory) return;
    judge_peak(w);
    if (cgroup_has_killed(group)) exceed_memory(w, w->req->memory);
}

#define SHARED_TICK_NS 100000000ull

/*
 * Without a control group: shared memory that is in no process's page tables, which happens once a process has
 * let go of it. Looking at mappings does not tell what was touched, and is only worth the time if the machine's
 * shared memory has grown by as much.
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
    /* SIGCHLD is blocked except in here: a child's exit ends the wait and is never missed. */
    if (ppoll(fds, 4, &timeout, &none) < 0) return;
    if (fds[0].revents & (POLLRDHUP | POLLHUP | POLLERR)) w->hung_up = 1;
    if (fds[3].revents & POLLERR) hang_up_on_peer(&w->out);
    if (fds[1].revents || fds[3].revents) drain(&w->out);
    if (fds[2].revents) drain(&w->err);
    if (w->out.over || w->err.over) w->limit = LIMIT_OUTPUT;
}

/*
 * Delivers the last output of a program that has ended. Its peer may take its time to read it: the peer has
 * limits of its own, and receives everything until its end.
 */
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
 * Where CPU time decides, the wall-time limit only stops sleeping programs: time that a program spent waiting
 * for a processor on a busy machine is given back to it. Returns 1 if that moves the deadline.
 */
static int extend_wall(struct watch *w, uint64_t now) {
    if (!w->req->cpu_ns) return 0;
    uint64_t waited = delay_so_far(w, now), most = w->req->wall_ns * MOST_EXTENSIONS;
    /*
     * The one waiting for a processor may be its peer, in a box that we cannot look into, so the whole
     * machine's figure has to do. That figure is the same in a deadlock, which must not last that long.
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
 * A validator that closes its stdout and carries on wants its peer to notice. One that exits closes it too, a
 * moment before it can be reaped; its peer must not notice that and exit in turn before we know which of them
 * ended first.
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
    /* One last look at what is about to be killed: ticks may have missed a short-lived crowd of processes. */
    if (w->reaped.main_done && w->req->memory) {
        struct usage live = tree_usage(w->box->reach, w->req->memory / 2);
        if (live.memory > w->tree_peak) w->tree_peak = live.memory;
    }
}

static struct sink make_sink(const struct box *box, const struct request *req, int *write_end, char *kept, size_t cap, int file) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) die("pipe");
    /* Lets another user's program open its /dev/stdout. */
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
        /* An empty tmpfs of our own need not be searched. */
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
