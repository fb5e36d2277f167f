/*
 * Many HTTP servers in one process, which answer every request with the same bytes after the same delay. Not in Node,
 * because they share the processors with what they measure, and its timers are up to a millisecond late.
 *
 *     answering-servers <servers> <milliseconds> <file with a whole response>
 *
 * Writes its ports as a JSON array on one line, and ends with its stdin.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_REQUEST (1 << 20)

enum kind { INPUT, TIMER, LISTENER, CONNECTION };

struct source {
    enum kind kind;
    int fd;
    char *buf;
    size_t len, cap;
    int waiting; /* answers that it is still due */
    int closed;
};

/* All answers take equally long, so they fall due in the order of the requests and a ring suffices. */
struct due {
    struct source *to;
    uint64_t at;
};

static struct due *ring;
static size_t first, count, room;
static char response[65536];
static size_t response_len;
static uint64_t latency_ns;
static int epoll, timer;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct source *watch(enum kind kind, int fd) {
    struct source *s = calloc(1, sizeof *s);
    if (!s) fail("calloc");
    s->kind = kind;
    s->fd = fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
    return s;
}

static void set_timer(void) {
    struct itimerspec when = {0};
    if (count > 0) {
        when.it_value.tv_sec = (time_t)(ring[first].at / 1000000000u);
        when.it_value.tv_nsec = (long)(ring[first].at % 1000000000u);
    }
    if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL) < 0) fail("timerfd_settime");
}

static void push(struct source *to) {
    if (count == room) {
        struct due *larger = malloc((room * 2 + 64) * sizeof *larger);
        if (!larger) fail("malloc");
        for (size_t i = 0; i < count; i++) larger[i] = ring[(first + i) % room];
        free(ring);
        ring = larger;
        first = 0;
        room = room * 2 + 64;
    }
    ring[(first + count++) % room] = (struct due){to, now_ns() + latency_ns};
    to->waiting++;
    if (count == 1) set_timer();
}

static void let_go(struct source *s) {
    if (!s->closed || s->waiting > 0) return;
    close(s->fd);
    free(s->buf);
    free(s);
}

static void answer_all(void) {
    uint64_t expirations, now = now_ns();
    if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN) fail("read");
    for (; count > 0 && ring[first].at <= now; first = (first + 1) % room, count--) {
        struct source *to = ring[first].to;
        to->waiting--;
        /* The response is small, and no client asks again before it has arrived, so it always fits. */
        if (!to->closed && send(to->fd, response, response_len, MSG_NOSIGNAL) != (ssize_t)response_len)
            shutdown(to->fd, SHUT_RDWR);
        let_go(to);
    }
    set_timer();
}

/* Length of the first whole request: its head and as many bytes as it announces; 0 if it has not fully arrived. */
static size_t whole_request(const struct source *s) {
    const char *end = memmem(s->buf, s->len, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = (size_t)(end - s->buf) + 4, body = 0;
    for (const char *line = s->buf; line < end; line = (const char *)memmem(line, (size_t)(end + 2 - line), "\r\n", 2) + 2)
        if (strncasecmp(line, "content-length:", 15) == 0) body = strtoul(line + 15, NULL, 10);
    return s->len >= head + body ? head + body : 0;
}

static void read_requests(struct source *s) {
    if (s->cap - s->len < 4096) {
        s->cap = s->cap * 2 + 8192;
        if (s->cap > MAX_REQUEST || !(s->buf = realloc(s->buf, s->cap))) fail("a request is too large");
    }
    /* Leaves one byte free to terminate text that is parsed as a number. */
    ssize_t n = read(s->fd, s->buf + s->len, s->cap - s->len - 1);
    if (n <= 0) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, s->fd, NULL);
        s->closed = 1;
        let_go(s);
        return;
    }
    s->len += (size_t)n;
    s->buf[s->len] = 0;
    for (size_t size; (size = whole_request(s)) > 0;) {
        memmove(s->buf, s->buf + size, s->len - size);
        s->len -= size;
        push(s);
    }
}

static void take_connection(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), yes = 1;
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    watch(CONNECTION, fd);
}

static int listen_somewhere(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 1024) < 0) fail("listen");
    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0) fail("getsockname");
    watch(LISTENER, fd);
    return ntohs(address.sin_port);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    FILE *file = fopen(argv[3], "r");
    if (!file) fail(argv[3]);
    response_len = fread(response, 1, sizeof response, file);
    fclose(file);
    latency_ns = strtoul(argv[2], NULL, 10) * 1000000u;
    /* A timer's slack adds to its lateness. */
    prctl(PR_SET_TIMERSLACK, 1);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (epoll < 0 || timer < 0) fail("epoll");
    watch(INPUT, 0);
    watch(TIMER, timer);
    int servers = atoi(argv[1]);
    for (int i = 0; i < servers; i++) printf("%s%d", i ? "," : "[", listen_somewhere());
    puts("]");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[256];
        int n = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            struct source *s = events[i].data.ptr;
            char nothing[256];
            switch (s->kind) {
            case INPUT:
                if (read(0, nothing, sizeof nothing) <= 0) return 0;
                break;
            case TIMER: answer_all(); break;
            case LISTENER: take_connection(s->fd); break;
            case CONNECTION: read_requests(s); break;
            }
        }
    }
}
