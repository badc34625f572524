/* Attributes of the public interface. */
#ifndef BULWARK_API_H
#define BULWARK_API_H

#define BW_API                        __attribute__((visibility("default")))
#define BW_MUSTCHECK                  __attribute__((warn_unused_result))
#define BW_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))

#endif
