/*
 * Messages between the parts. Node and serve use pipes, with each message preceded by its length (u32); serve
 * and a box use a SOCK_SEQPACKET pair, with one message per packet. All numbers are little-endian. A text is
 * its length (u32), its bytes, and a NUL that the length does not count. A list is its length (u32) and its
 * texts. src/executor/sandbox/wire.ts is the other side.
 */
#ifndef WIRE_H
#define WIRE_H
#include <stddef.h>
#include <stdint.h>

enum { OP_OPEN = 1, OP_RUN = 2, OP_COLLECT = 3, OP_CLOSE = 4 };
enum { REPLY_OPENED = 1, REPLY_RESULT = 2, REPLY_COLLECTED = 3, REPLY_GONE = 4, REPLY_DIED = 5 };
enum { KIND_PLAIN = 0, KIND_BWRAP = 1 };
/* STDIN_PEER: the output of another box's program, which reads ours in turn. The text is that box's number. */
enum { STDIN_NULL = 0, STDIN_PATH = 1, STDIN_DATA = 2, STDIN_PEER = 3 };
/*
 * Whether a program talks to a peer, and when the peer sees the end of its output: when the program has ended,
 * or when it has closed its output.
 */
enum { TALK_NONE = 0, TALK_TO_ITS_END = 1, TALK_UNTIL_CLOSED = 2 };
enum { LIMIT_NONE = 0, LIMIT_CPU = 1, LIMIT_WALL = 2, LIMIT_MEMORY = 3, LIMIT_OUTPUT = 4, LIMIT_FILES = 5 };

/* Files given to a program besides its stdin, as descriptors 3, 4 and 5. */
#define MAX_GIVEN 3

/* A box's files for output beyond `inline_max`, used in turn: as many runs may be in progress or compared. */
#define SPILL_FILES 16
/* In a request: no file for stderr, of which the reply contains only the first bytes. */
#define NO_SLOT 255

/* Descriptors that a packet may carry: those files, and the files of a control group. */
#define MAX_FDS (SPILL_FILES + 12)

/* Largest message between serve and a box: less than the default buffer of a socket. */
#define PACKET_MAX 200000

struct reader {
    const char *at, *end;
    int bad;
};

uint8_t get_u8(struct reader *r);
uint32_t get_u32(struct reader *r);
uint64_t get_u64(struct reader *r);
/* Returns a text that stays inside the message; never NULL. */
const char *get_text(struct reader *r, size_t *length);
/* Returns a NULL-terminated array of texts that stay inside the message; the caller frees the array. */
char **get_list(struct reader *r);

struct writer {
    char *buf;
    size_t len, cap;
};

/* Writes bytes as they are, without a length. */
void put_bytes(struct writer *w, const void *from, size_t n);
void put_u8(struct writer *w, uint8_t v);
void put_u32(struct writer *w, uint32_t v);
void put_u64(struct writer *w, uint64_t v);
void put_text(struct writer *w, const char *text, size_t length);

/* Sends one packet with descriptors. Returns 0, or -1 with errno. */
int send_packet(int sock, const void *data, size_t length, const int *fds, int nfds);
/* Receives one packet. Returns its length, 0 at the end, or -1 with errno. Descriptors are close-on-exec. */
long receive_packet(int sock, void *data, size_t cap, int *fds, int *nfds);
/* Writes all of it. Returns 0 or -1. */
int write_all(int fd, const void *data, size_t length);
void die(const char *what) __attribute__((noreturn));
void *must_alloc(void *old, size_t size);
#endif
