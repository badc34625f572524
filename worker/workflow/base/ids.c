#include "workflow/base/ids.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static void draw(void *bytes, size_t len)
{
    if (getrandom(bytes, len, 0) != (ssize_t)len)
        abort(); /* cannot fail for so few bytes on a kernel we run on */
}

/* 24 digits hold 124 bits; the top four of the 128 are dropped. */
static void spell(unsigned __int128 number, char id[WF_ID_SIZE])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

    id[0] = 'c';
    for (int i = WF_ID_SIZE - 2; i > 0; i--) {
        id[i] = digits[(unsigned)(number % 36)];
        number /= 36;
    }
    id[WF_ID_SIZE - 1] = '\0';
}

/* FNV-1a in 128 bits: ids are to differ by chance, not against an enemy. */
void wf_id_of(const char *text, char id[WF_ID_SIZE])
{
    const unsigned __int128 prime = ((unsigned __int128)1 << 88) + 0x13b;
    unsigned __int128 hash =
        ((unsigned __int128)0x6c62272e07bb0142 << 64) + 0x62b821756295c58d;

    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * prime;
    spell(hash, id);
}

void wf_id_random(char id[WF_ID_SIZE])
{
    unsigned __int128 number;

    draw(&number, sizeof(number));
    spell(number, id);
}

void wf_id_token(char token[33])
{
    uint64_t words[2];

    draw(words, sizeof(words));
    (void)snprintf(token, 33, "%016llx%016llx", (unsigned long long)words[0],
                   (unsigned long long)words[1]);
}
