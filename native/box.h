/* One box: runs the programs it is sent, one after another, until its channel closes. */
#ifndef BOX_H
#define BOX_H
int box_main(int channel);
#endif
