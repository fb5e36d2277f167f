/* What a box says to serve. Results may wait for each other, so that serve and Node wake once for several of them. */
#ifndef REPLIES_H
#define REPLIES_H
#include "wire.h"

struct replies {
    int channel;
    struct writer held;
    int count; /* of results in `held` */
    uint64_t since; /* when the first of `held` came, monotonic nanoseconds */
};

/* Sends it, after those that are held; 0 or -1. */
int send_reply(struct replies *r, const void *data, size_t length);
/* Holds it while enough is left to do: `request` is the length of the packet that it answers. 0 or -1. */
int hold_reply(struct replies *r, const void *data, size_t length, size_t request);
/* Sends what is held; 0 or -1. */
int flush_replies(struct replies *r);
/* When what is held must go; UINT64_MAX if nothing is. */
uint64_t replies_due(const struct replies *r);
#endif
