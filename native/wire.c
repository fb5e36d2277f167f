#define _GNU_SOURCE
#include "wire.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void die(const char *what) {
    fprintf(stderr, "helper: %s: %s\n", what, strerror(errno));
    _exit(70);
}

void *must_alloc(void *old, size_t size) {
    void *p = realloc(old, size ? size : 1);
    if (!p) die("out of memory");
    return p;
}

static void take(struct reader *r, void *to, size_t n) {
    if (r->bad || (size_t)(r->end - r->at) < n) {
        r->bad = 1;
        memset(to, 0, n);
        return;
    }
    memcpy(to, r->at, n);
    r->at += n;
}

uint8_t get_u8(struct reader *r) {
    uint8_t v;
    take(r, &v, sizeof v);
    return v;
}

uint32_t get_u32(struct reader *r) {
    uint32_t v;
    take(r, &v, sizeof v);
    return v;
}

uint64_t get_u64(struct reader *r) {
    uint64_t v;
    take(r, &v, sizeof v);
    return v;
}

const char *get_text(struct reader *r, size_t *length) {
    size_t n = get_u32(r);
    if (r->bad || (size_t)(r->end - r->at) < n + 1) {
        r->bad = 1;
        if (length) *length = 0;
        return "";
    }
    const char *text = r->at;
    r->at += n + 1;
    if (length) *length = n;
    return text;
}

char **get_list(struct reader *r) {
    size_t n = get_u32(r);
    /* A text takes at least five bytes: a greater count is a broken message, and must not be allocated for. */
    if (n > (size_t)(r->end - r->at) / 5) {
        r->bad = 1;
        n = 0;
    }
    char **list = must_alloc(NULL, (n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++) list[i] = (char *)get_text(r, NULL);
    list[n] = NULL;
    return list;
}

void put_bytes(struct writer *w, const void *from, size_t n) {
    if (w->len + n > w->cap) {
        w->cap = (w->len + n) * 2;
        w->buf = must_alloc(w->buf, w->cap);
    }
    memcpy(w->buf + w->len, from, n);
    w->len += n;
}

void put_u8(struct writer *w, uint8_t v) { put_bytes(w, &v, sizeof v); }
void put_u32(struct writer *w, uint32_t v) { put_bytes(w, &v, sizeof v); }
void put_u64(struct writer *w, uint64_t v) { put_bytes(w, &v, sizeof v); }

void put_text(struct writer *w, const char *text, size_t length) {
    put_u32(w, (uint32_t)length);
    put_bytes(w, text, length);
    put_u8(w, 0);
}

int send_packet(int sock, const void *data, size_t length, const int *fds, int nfds) {
    struct iovec iov = {(void *)data, length};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(MAX_FDS * sizeof(int))];
    } control;
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (nfds > 0) {
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
        memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
    }
    ssize_t n;
    do n = sendmsg(sock, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -1 : 0;
}

long receive_packet(int sock, void *data, size_t cap, int *fds, int *nfds) {
    struct iovec iov = {data, cap};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(MAX_FDS * sizeof(int))];
    } control;
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n;
    do n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    *nfds = 0;
    if (n <= 0) return n;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        *nfds = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(c), *nfds * sizeof(int));
    }
    return n;
}

int write_all(int fd, const void *data, size_t length) {
    const char *at = data;
    while (length > 0) {
        ssize_t n = write(fd, at, length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        at += n;
        length -= (size_t)n;
    }
    return 0;
}
