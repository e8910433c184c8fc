/* What the contact does. */
#include "board.h"

const struct board_press board_presses[] = {
    {100, 1}, {101, 0}, {103, 1}, {250, 0}, {252, 1}, {255, 0},       /* short, bouncing */
    {500, 1}, {504, 0},                                               /* a spike: nothing */
    {1000, 1}, {1001, 0}, {1002, 1}, {2000, 0}, {2001, 1}, {2003, 0}, /* long */
    {2100, 1}, {2700, 0},                                             /* let go just before the limit: short */
    {3000, 1}, {3610, 0},                                             /* the limit comes while the release settles: long */
    {4000, 1}, {4200, 0}, {4210, 1}, {4400, 0},                       /* let go for 10 ms only: one short press */
    {-1, 0},
};
