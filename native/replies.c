#define _GNU_SOURCE
#include "replies.h"
#include "clock.h"
#include <linux/sockios.h>
#include <sys/ioctl.h>

/* Results are held only while this many requests wait: with fewer, we might be idle before Node asks for more. */
#define BUSY_REQUESTS 2
#define HOLD_NS 15000000ull
/* Half of what Node requests ahead: it requests the next half while this one runs. */
#define HOLD_RESULTS (SPILL_FILES / 2)
#define HOLD_BYTES 32768

int flush_replies(struct replies *r) {
    if (r->held.len == 0) return 0;
    int result = send_packet(r->channel, r->held.buf, r->held.len, NULL, 0);
    r->held.len = 0;
    r->count = 0;
    return result;
}

uint64_t replies_due(const struct replies *r) { return r->held.len > 0 ? r->since + HOLD_NS : UINT64_MAX; }

static void add(struct replies *r, const void *data, size_t length) {
    if (r->held.len == 0) r->since = now_ns();
    put_u32(&r->held, (uint32_t)length);
    put_bytes(&r->held, data, length);
}

int send_reply(struct replies *r, const void *data, size_t length) {
    add(r, data, length);
    return flush_replies(r);
}

int hold_reply(struct replies *r, const void *data, size_t length, size_t request) {
    add(r, data, length);
    /* Requests of a submission are nearly equal in size, so the bytes waiting tell how many wait. */
    int waiting = 0;
    if (ioctl(r->channel, SIOCINQ, &waiting) < 0 || (size_t)waiting < BUSY_REQUESTS * request * 9 / 10) return flush_replies(r);
    int is_full = ++r->count >= HOLD_RESULTS || r->held.len > HOLD_BYTES;
    return is_full || now_ns() >= replies_due(r) ? flush_replies(r) : 0;
}
