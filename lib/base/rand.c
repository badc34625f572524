#include "base/rand.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include <bulwark/thread.h>
#include <bulwark/time.h>

void bw_rand_init(struct bw_rand *rand, uint64_t seed)
{
    rand->state = seed;
}

/* SplitMix64: passes what jitter could ask of it, and any seed will do. */
uint64_t bw_rand_next(struct bw_rand *rand)
{
    uint64_t z = rand->state += 0x9e3779b97f4a7c15U;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

double bw_rand_unit(struct bw_rand *rand)
{
    return (double)(bw_rand_next(rand) >> 11) * 0x1.0p-53;
}

int bw_rand_bytes(void *out, size_t len, struct bw_error *err)
{
    unsigned char *at = out;

    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return bw_error_errno(err, errno, "random bytes");
        at += got;
        len -= (size_t)got;
    }
    return BW_OK;
}

int bw_rand_uuid(char out[BW_UUID_LEN + 1], struct bw_error *err)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[16];
    int rc = bw_rand_bytes(bytes, sizeof bytes, err);
    char *at = out;

    if (rc != BW_OK)
        return rc;
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* the RFC's variant */
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = hex[bytes[i] >> 4];
        *at++ = hex[bytes[i] & 15];
    }
    *at = '\0';
    return BW_OK;
}

static pthread_once_t seed_once = PTHREAD_ONCE_INIT;
static uint64_t process_seed;

static void make_seed(void)
{
    struct bw_rand fallback;

    if (bw_rand_bytes(&process_seed, sizeof process_seed, NULL) == BW_OK)
        return;
    /* Without the system's generator time and process id must do: this is no secret. */
    bw_rand_init(&fallback, (uint64_t)bw_mono_now(NULL).ns ^ (uint64_t)getpid() << 32);
    process_seed = bw_rand_next(&fallback);
}

uint64_t bw_rand_process_seed(void)
{
    bw_thread_check(pthread_once(&seed_once, make_seed), "pthread_once");
    return process_seed;
}
