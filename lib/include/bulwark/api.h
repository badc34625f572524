/* Attributes of the public interface. */
#ifndef BULWARK_API_H
#define BULWARK_API_H

/* C11 compilers that know [[nodiscard]] may say that it is not of C11. */
#pragma GCC system_header

#define BW_API                        __attribute__((visibility("default")))
#define BW_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))

/* Before everything else of a declaration. The compiler warns where the result is not
 * looked at; a `(void)` says that it is dropped on purpose. (gcc's own attribute would
 * hear of no purpose.) */
#if defined(__has_c_attribute)
#if __has_c_attribute(nodiscard)
#define BW_MUSTCHECK [[nodiscard]]
#endif
#elif defined(__cplusplus) && __cplusplus >= 201703L
#define BW_MUSTCHECK [[nodiscard]]
#endif
#ifndef BW_MUSTCHECK
#define BW_MUSTCHECK __attribute__((warn_unused_result))
#endif

#endif
