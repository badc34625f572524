/* Random numbers: a small seeded generator for jitter, and what the system gives for
 * names.
 *
 * Not for secrets, but for bw_rand_bytes() and bw_rand_uuid(). A struct bw_rand is
 * storage of the caller for one thread; the other functions may be called from any. */
#ifndef BW_BASE_RAND_H
#define BW_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

#include <bulwark/api.h>
#include <bulwark/error.h>

struct bw_rand {
    uint64_t state;
};

#define BW_UUID_LEN 36

/* Equal seeds give equal numbers. */
void bw_rand_init(struct bw_rand *rand, uint64_t seed);
uint64_t bw_rand_next(struct bw_rand *rand);
/* Uniform in [0, 1). */
double bw_rand_unit(struct bw_rand *rand);

/* From the system's generator; does not fail once the system has booted, but says so if
 * it does. */
BW_MUSTCHECK int bw_rand_bytes(void *out, size_t len, struct bw_error *err);
/* UUID version 4 as text with its NUL. */
BW_MUSTCHECK int bw_rand_uuid(char out[BW_UUID_LEN + 1], struct bw_error *err);
/* A number that differs from process to process and stays within one. */
uint64_t bw_rand_process_seed(void);

#endif
