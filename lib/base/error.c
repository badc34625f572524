#include <bulwark/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void format_text(struct bw_error *err, int code, const char *format, va_list args)
{
    err->code = code;
    (void)vsnprintf(err->text, sizeof(err->text), format, args); /* cut at the limit */
}

int bw_error_set(struct bw_error *err, int code, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return code;
    va_start(args, format);
    format_text(err, code, format, args);
    va_end(args);
    return code;
}

int bw_error_prefix(struct bw_error *err, const char *format, ...)
{
    char old[BW_ERROR_TEXT_MAX];
    va_list args;
    size_t len;

    if (err == NULL)
        return BW_ESYSTEM;
    memcpy(old, err->text, sizeof(old));
    va_start(args, format);
    format_text(err, err->code, format, args);
    va_end(args);
    len = strlen(err->text);
    (void)snprintf(err->text + len, sizeof(err->text) - len, ": %s", old);
    return err->code;
}

int bw_error_errno(struct bw_error *err, int errnum, const char *format, ...)
{
    char reason[128];
    va_list args;
    size_t len;

    if (err == NULL)
        return BW_ESYSTEM;
    va_start(args, format);
    format_text(err, BW_ESYSTEM, format, args);
    va_end(args);
    len = strlen(err->text);
    (void)snprintf(err->text + len, sizeof(err->text) - len, ": %s",
                   strerror_r(errnum, reason, sizeof(reason)));
    return BW_ESYSTEM;
}

void bw_error_clear(struct bw_error *err)
{
    err->code = BW_OK;
    err->text[0] = '\0';
}

#define CODES(X)                                                                         \
    X(OK)                                                                                \
    X(ENOMEM) X(EINVAL) X(EIO) X(ETIMEDOUT) X(EPROTO) X(EREDIS) X(ECLOSED) X(ECANCELED)  \
        X(EUNSUPPORTED) X(ESYSTEM) X(EJOB_MISSING) X(EJOB_NO_LOCK) X(EJOB_STATE)         \
            X(EJOB_PENDING) X(EJOB_PARENT_MISSING) X(EJOB_LOCKED) X(EJOB_OTHER_PARENT)   \
                X(EJOB_SCHEDULED) X(EJOB_FAILED_CHILD) X(EJOB_SLOT_TAKEN)                \
                    X(EJOB_NO_SLOT)

const char *bw_code_name(int code)
{
    switch (code) {
#define NAME(name)                                                                       \
    case BW_##name:                                                                      \
        return #name;
        CODES(NAME)
#undef NAME
    default:
        return "UNKNOWN";
    }
}
