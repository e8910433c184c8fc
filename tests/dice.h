/* Random numbers that are the same everywhere, for tests that tell the seed of what went wrong (splitmix64: G. L. Steele and others,
   "Fast splittable pseudorandom number generators", 2014). */
#ifndef DICE_H
#define DICE_H
#include <stdint.h>

static uint64_t dice; /* set it to the seed */
static inline __attribute__((unused)) int below(int n) {
    uint64_t x = dice += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return (int)((x ^ (x >> 31)) % (uint64_t)n);
}
static inline __attribute__((unused)) int one_in(int n) { return below(n) == 0; }
#endif
