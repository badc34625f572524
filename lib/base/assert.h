/* What we guarantee ourselves, said aloud and checked in every build, releases included:
 * the program ends before it works on with what cannot be. Never for what a peer, a user
 * or a file sends. */
#ifndef BW_BASE_ASSERT_H
#define BW_BASE_ASSERT_H

#define BW_ASSERT(what)                                                                  \
    do {                                                                                 \
        if (!(what))                                                                     \
            bw_assert_failed(#what, __FILE__, __LINE__, __func__);                       \
    } while (0)

/* (cppcheck knows the attribute, not C11's word.) Writes what does not hold, and where,
 * to standard error, and aborts. */
__attribute__((noreturn)) void bw_assert_failed(const char *what, const char *file,
                                                int line, const char *function);

#endif
