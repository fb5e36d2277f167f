/* The part that talks to Node: opens boxes, passes requests to them and their replies back. */
#ifndef SERVE_H
#define SERVE_H
int serve_main(void);
#endif
