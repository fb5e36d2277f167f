/* Replies of a box to serve. Results may be held back, so that serve and Node wake once for several. */
#ifndef REPLIES_H
#define REPLIES_H
#include "wire.h"

struct replies {
    int channel;
    struct writer held;
    int count; /* of results in `held` */
    uint64_t since; /* when the first of `held` was added, monotonic nanoseconds */
};

/* Sends a reply, after those that are held. Returns 0 or -1. */
int send_reply(struct replies *r, const void *data, size_t length);
/*
 * Holds a reply as long as enough work is waiting. `request` is the length of the packet that it answers.
 * Returns 0 or -1.
 */
int hold_reply(struct replies *r, const void *data, size_t length, size_t request);
/* Sends the replies that are held. Returns 0 or -1. */
int flush_replies(struct replies *r);
/* When the held replies must be sent; UINT64_MAX if there are none. */
uint64_t replies_due(const struct replies *r);
#endif
