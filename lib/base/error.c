#include <bulwark/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int code;
    const char *name;
} names[] = {
    { BW_OK, "OK" },
    { BW_ENOMEM, "ENOMEM" },
    { BW_EINVAL, "EINVAL" },
    { BW_EIO, "EIO" },
    { BW_ETIMEDOUT, "ETIMEDOUT" },
    { BW_EPROTO, "EPROTO" },
    { BW_EREDIS, "EREDIS" },
    { BW_ECLOSED, "ECLOSED" },
    { BW_ECANCELED, "ECANCELED" },
    { BW_EUNSUPPORTED, "EUNSUPPORTED" },
    { BW_ESYSTEM, "ESYSTEM" },
    { BW_EJOB_MISSING, "EJOB_MISSING" },
    { BW_EJOB_NO_LOCK, "EJOB_NO_LOCK" },
    { BW_EJOB_STATE, "EJOB_STATE" },
    { BW_EJOB_PENDING, "EJOB_PENDING" },
    { BW_EJOB_PARENT_MISSING, "EJOB_PARENT_MISSING" },
    { BW_EJOB_LOCKED, "EJOB_LOCKED" },
    { BW_EJOB_OTHER_PARENT, "EJOB_OTHER_PARENT" },
    { BW_EJOB_SCHEDULED, "EJOB_SCHEDULED" },
    { BW_EJOB_FAILED_CHILD, "EJOB_FAILED_CHILD" },
    { BW_EJOB_SLOT_TAKEN, "EJOB_SLOT_TAKEN" },
    { BW_EJOB_NO_SLOT, "EJOB_NO_SLOT" },
};

static void set_text(struct bw_error *err, const char *format, va_list args)
    BW_PRINTF(2, 0);

static void set_text(struct bw_error *err, const char *format, va_list args)
{
    if (vsnprintf(err->text, sizeof err->text, format, args) < 0)
        err->text[0] = '\0'; /* an impossible format: the code alone must do */
}

int bw_error_set(struct bw_error *err, int code, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return code;
    err->code = code;
    va_start(args, format);
    set_text(err, format, args);
    va_end(args);
    return code;
}

int bw_error_prefix(struct bw_error *err, const char *format, ...)
{
    struct bw_error before;
    va_list args;
    size_t len;

    if (err == NULL)
        return BW_ESYSTEM;
    before = *err;
    va_start(args, format);
    set_text(err, format, args);
    va_end(args);
    len = strlen(err->text);
    /* Cut at the limit, as the header says. */
    (void)snprintf(err->text + len, sizeof err->text - len, ": %s", before.text);
    return err->code;
}

int bw_error_errno(struct bw_error *err, int errnum, const char *format, ...)
{
    char reason[128];
    va_list args;
    size_t len;

    if (err == NULL)
        return BW_ESYSTEM;
    err->code = BW_ESYSTEM;
    va_start(args, format);
    set_text(err, format, args);
    va_end(args);
    len = strlen(err->text);
    (void)snprintf(err->text + len, sizeof err->text - len, ": %s",
                   strerror_r(errnum, reason, sizeof reason));
    return BW_ESYSTEM;
}

void bw_error_clear(struct bw_error *err)
{
    if (err == NULL)
        return;
    err->code = BW_OK;
    err->text[0] = '\0';
}

const char *bw_code_name(int code)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].code == code)
            return names[i].name;
    }
    return "UNKNOWN";
}
