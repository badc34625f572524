/* The methods of strings and arrays of worker/workflow/spec/workflow.md §7.3. Positions
 * are UTF-16 units. */
#include "workflow/language/expression/method.h"

#include <math.h>
#include <string.h>

typedef int (*method_call)(const struct wf_expr_call *call, struct wf_expr_value *out);

struct wf_expr_method {
    const char *name;
    method_call on_text, on_array; /* NULL: that type has no such method */
};

/* ---- arguments ---- */

static int text_arg(const struct wf_expr_call *call, size_t index, struct wf_text *out)
{
    struct wf_expr_value arg = wf_expr_arg(call, index);

    return wf_expr_to_string(call->expr, &arg, out);
}

/* An integer argument: NaN and absent are `absent`, the rest is cut towards zero. */
static double integer_arg(const struct wf_expr_call *call, size_t index, double absent)
{
    struct wf_expr_value arg = wf_expr_arg(call, index);
    double number;

    if (arg.kind == WF_EXPR_UNDEFINED)
        return absent;
    number = wf_expr_to_number(&arg);
    return isnan(number) ? 0 : trunc(number);
}

/* A position: cut to 0 … `size`. */
static size_t position(double number, size_t size)
{
    if (number <= 0)
        return 0;
    return number >= (double)size ? size : (size_t)number;
}

/* As position(), negative ones counted from the end. */
static size_t relative(double number, size_t size)
{
    return position(number < 0 ? (double)size + number : number, size);
}

/* ---- slices ---- */

/* Bytes of one half of a pair, or of the whole character, as far as it lies in [from,
 * to). */
static int add_part(struct bw_buf *buf, uint32_t code, size_t unit, size_t from,
                    size_t to)
{
    char bytes[4];
    bool first = unit >= from && unit < to;
    bool second = unit + 1 >= from && unit + 1 < to;

    if (code < 0x10000)
        return first ? bw_buf_add(buf, bytes, wf_text_encode(code, bytes)) : BW_OK;
    if (first && !second)
        code = 0xd800 + ((code - 0x10000) >> 10);
    else if (second && !first)
        code = 0xdc00 + ((code - 0x10000) & 0x3ff);
    else if (!first)
        return BW_OK;
    return bw_buf_add(buf, bytes, wf_text_encode(code, bytes));
}

/* The units from `from` up to `to`. */
static int slice(struct wf_expr *expr, struct wf_text text, size_t from, size_t to,
                 struct wf_text *out)
{
    struct bw_buf buf = BW_BUF_INIT;
    size_t unit = 0;
    int rc = BW_OK;

    if (from >= to) {
        *out = wf_text_of("");
        return BW_OK;
    }
    if (wf_text_is_ascii(text)) {
        *out = (struct wf_text){ text.data + from, to - from };
        return BW_OK;
    }
    for (size_t at = 0; rc == BW_OK && at < text.len && unit < to;) {
        uint32_t code = wf_text_next(text, &at);

        rc = add_part(&buf, code, unit, from, to);
        unit += code >= 0x10000 ? 2 : 1;
    }
    return wf_expr_take(expr, &buf, rc, out);
}

static int text_slice(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    size_t size = wf_text_units(call->self.text);
    size_t from = relative(integer_arg(call, 0, 0), size);
    size_t to = relative(integer_arg(call, 1, (double)size), size);
    struct wf_text part;
    int rc = slice(call->expr, call->self.text, from, to, &part);

    *out = wf_expr_text(part);
    return rc;
}

static int text_substring(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    size_t size = wf_text_units(call->self.text);
    size_t from = position(integer_arg(call, 0, 0), size);
    size_t to = position(integer_arg(call, 1, (double)size), size);
    struct wf_text part;
    int rc = slice(call->expr, call->self.text, from < to ? from : to,
                   from < to ? to : from, &part);

    *out = wf_expr_text(part);
    return rc;
}

/* ---- searching ---- */

static bool has_halves(struct wf_text text)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t code = wf_text_next(text, &at);

        if (code >= 0xd800 && code <= 0xdfff)
            return true;
    }
    return false;
}

/* The unit where `part` begins at or behind unit `from`, or -1. Whole characters are
 * found by their bytes; half a pair can hide inside a character, so it is compared slice
 * by slice. */
static int find_halves(struct wf_expr *expr, struct wf_text text, struct wf_text part,
                       size_t from, double *found)
{
    size_t size = wf_text_units(text), length = wf_text_units(part);

    for (size_t at = from; at + length <= size; at++) {
        struct wf_text piece;
        int rc = wf_expr_charge(expr, 1);

        if (rc == BW_OK)
            rc = slice(expr, text, at, at + length, &piece);
        if (rc != BW_OK)
            return rc;
        if (!wf_text_equal(piece, part))
            continue;
        *found = (double)at;
        break;
    }
    return BW_OK;
}

static int find_unit(struct wf_expr *expr, struct wf_text text, struct wf_text part,
                     size_t from, double *found)
{
    struct wf_text head, rest;
    const char *hit;
    int rc;

    *found = -1;
    if (part.len == 0) {
        *found = (double)from;
        return BW_OK;
    }
    if (has_halves(part))
        return find_halves(expr, text, part, from, found);
    rc = slice(expr, text, from, wf_text_units(text), &rest);
    if (rc != BW_OK)
        return rc;
    hit = memmem(rest.data, rest.len, part.data, part.len);
    if (hit == NULL)
        return BW_OK;
    head = (struct wf_text){ rest.data, (size_t)(hit - rest.data) };
    *found = (double)(from + wf_text_units(head));
    return BW_OK;
}

static int text_index_of(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    size_t size = wf_text_units(call->self.text);
    size_t from = position(integer_arg(call, 1, 0), size);
    struct wf_text part;
    double found = -1;
    int rc = text_arg(call, 0, &part);

    if (rc == BW_OK)
        rc = find_unit(call->expr, call->self.text, part, from, &found);
    *out = wf_expr_number(found);
    return rc;
}

static int text_includes(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    int rc = text_index_of(call, out);

    *out = wf_expr_boolean(rc == BW_OK && out->number >= 0);
    return rc;
}

/* Whether the units from `from` on are exactly `part`. */
static int lies_at(const struct wf_expr_call *call, struct wf_text part, double from,
                   struct wf_expr_value *out)
{
    size_t length = wf_text_units(part);
    struct wf_text piece = { "", 0 };
    int rc = BW_OK;

    if (from < 0 || from + (double)length > (double)wf_text_units(call->self.text)) {
        *out = wf_expr_boolean(false);
        return BW_OK;
    }
    rc = slice(call->expr, call->self.text, (size_t)from, (size_t)from + length, &piece);
    *out = wf_expr_boolean(wf_text_equal(piece, part));
    return rc;
}

static int text_starts_with(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    size_t size = wf_text_units(call->self.text);
    struct wf_text part;
    int rc = text_arg(call, 0, &part);

    if (rc != BW_OK)
        return rc;
    return lies_at(call, part, (double)position(integer_arg(call, 1, 0), size), out);
}

static int text_ends_with(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    size_t size = wf_text_units(call->self.text);
    double end = (double)position(integer_arg(call, 1, (double)size), size);
    struct wf_text part;
    int rc = text_arg(call, 0, &part);

    return rc == BW_OK ? lies_at(call, part, end - (double)wf_text_units(part), out) : rc;
}

/* ---- other texts ---- */

static int changed(const struct wf_expr_call *call,
                   int (*change)(struct wf_text, struct bw_buf *),
                   struct wf_expr_value *out)
{
    struct bw_buf buf = BW_BUF_INIT;
    struct wf_text text;
    int rc = change(call->self.text, &buf);

    rc = wf_expr_take(call->expr, &buf, rc, &text);
    *out = wf_expr_text(text);
    return rc;
}

static int text_to_lower(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    return changed(call, wf_text_lower, out);
}

static int text_to_upper(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    return changed(call, wf_text_upper, out);
}

static int text_trim(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    *out = wf_expr_text(wf_text_trim(call->self.text));
    return BW_OK;
}

/* ---- split ---- */

struct pieces {
    struct wf_expr *expr;
    struct wf_expr_list *list;
    size_t room;
    double most; /* the limit asked for */
};

static int pieces_add(struct pieces *pieces, struct wf_text piece)
{
    struct wf_expr_list *list = pieces->list;
    int rc = wf_expr_charge(pieces->expr, 1);

    if (rc == BW_OK && list->count == pieces->room) {
        size_t room = pieces->room * 2 + 8;
        struct wf_expr_value *items;

        rc = wf_expr_alloc(pieces->expr, room * sizeof *items, &items);
        if (rc != BW_OK)
            return rc;
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        pieces->room = room;
    }
    if (rc == BW_OK)
        list->items[list->count++] = wf_expr_text(piece);
    return rc;
}

static bool pieces_full(const struct pieces *pieces)
{
    return (double)pieces->list->count >= pieces->most;
}

static int split_units(struct pieces *pieces, struct wf_text text)
{
    int rc = BW_OK;

    for (size_t at = 0; rc == BW_OK && at < text.len;) {
        size_t from = at;
        uint32_t code = wf_text_next(text, &at);
        struct wf_text whole = { text.data + from, at - from };
        size_t width = code >= 0x10000 ? 2 : 1;

        for (size_t half = 0; rc == BW_OK && half < width && !pieces_full(pieces);
             half++) {
            struct wf_text piece;

            rc = slice(pieces->expr, whole, half, half + 1, &piece);
            if (rc == BW_OK)
                rc = pieces_add(pieces, piece);
        }
        if (pieces_full(pieces))
            break;
    }
    return rc;
}

static int split_at(struct pieces *pieces, struct wf_text text, struct wf_text separator)
{
    int rc = BW_OK;

    while (rc == BW_OK && !pieces_full(pieces)) {
        const char *hit =
            text.len == 0 ? NULL
                          : memmem(text.data, text.len, separator.data, separator.len);
        size_t len = hit != NULL ? (size_t)(hit - text.data) : text.len;

        rc = pieces_add(pieces, (struct wf_text){ text.data, len });
        if (hit == NULL)
            break;
        text = (struct wf_text){ hit + separator.len, text.len - len - separator.len };
    }
    return rc;
}

static int text_split(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    struct wf_expr_value separator = wf_expr_arg(call, 0);
    double most = integer_arg(call, 1, INFINITY);
    struct pieces pieces = { .expr = call->expr, .most = most < 0 ? INFINITY : most };
    struct wf_text by = { "", 0 };
    int rc = wf_expr_alloc(call->expr, sizeof *pieces.list, &pieces.list);

    if (rc == BW_OK && separator.kind != WF_EXPR_UNDEFINED)
        rc = wf_expr_to_string(call->expr, &separator, &by);
    if (rc != BW_OK)
        return rc;
    if (separator.kind == WF_EXPR_UNDEFINED)
        rc = pieces_full(&pieces) ? BW_OK : pieces_add(&pieces, call->self.text);
    else if (by.len == 0)
        rc = split_units(&pieces, call->self.text);
    else
        rc = split_at(&pieces, call->self.text, by);
    *out = (struct wf_expr_value){ .kind = WF_EXPR_LIST, .list = pieces.list };
    return rc;
}

/* ---- arrays ---- */

static bool both_nan(const struct wf_expr_value *a, const struct wf_expr_value *b)
{
    return a->kind == WF_EXPR_NUMBER && b->kind == WF_EXPR_NUMBER && isnan(a->number) &&
           isnan(b->number);
}

/* `nan`: NaN is found too, as includes() does and indexOf() does not. */
static int find_item(const struct wf_expr_call *call, bool nan, double *found)
{
    size_t size = wf_expr_array_size(&call->self);
    struct wf_expr_value wanted = wf_expr_arg(call, 0);
    int rc = wf_expr_charge(call->expr, size);

    *found = -1;
    for (size_t i = relative(integer_arg(call, 1, 0), size); rc == BW_OK && i < size;
         i++) {
        struct wf_expr_value item = wf_expr_array_get(&call->self, i);

        if (!wf_expr_strict_equal(&item, &wanted) && !(nan && both_nan(&item, &wanted)))
            continue;
        *found = (double)i;
        break;
    }
    return rc;
}

static int array_includes(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    double found;
    int rc = find_item(call, true, &found);

    *out = wf_expr_boolean(found >= 0);
    return rc;
}

static int array_index_of(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    double found;
    int rc = find_item(call, false, &found);

    *out = wf_expr_number(found);
    return rc;
}

static int array_join(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    struct wf_expr_value arg = wf_expr_arg(call, 0);
    struct wf_text separator = wf_text_of(","), text;
    int rc = BW_OK;

    if (arg.kind != WF_EXPR_UNDEFINED)
        rc = wf_expr_to_string(call->expr, &arg, &separator);
    if (rc == BW_OK)
        rc = wf_expr_join(call->expr, &call->self, separator, &text);
    if (rc == BW_OK)
        *out = wf_expr_text(text);
    return rc;
}

static int array_slice(const struct wf_expr_call *call, struct wf_expr_value *out)
{
    size_t size = wf_expr_array_size(&call->self);
    size_t from = relative(integer_arg(call, 0, 0), size);
    size_t to = relative(integer_arg(call, 1, (double)size), size);
    struct wf_expr_list *list;
    int rc = wf_expr_alloc(call->expr, sizeof *list, &list);

    if (rc != BW_OK)
        return rc;
    list->count = to > from ? to - from : 0;
    rc = wf_expr_charge(call->expr, list->count);
    if (rc == BW_OK)
        rc = wf_expr_alloc(call->expr, list->count * sizeof *list->items, &list->items);
    for (size_t i = 0; rc == BW_OK && i < list->count; i++)
        list->items[i] = wf_expr_array_get(&call->self, from + i);
    *out = (struct wf_expr_value){ .kind = WF_EXPR_LIST, .list = list };
    return rc;
}

/* ---- the table ---- */

static const struct wf_expr_method methods[] = {
    { "includes", text_includes, array_includes },
    { "indexOf", text_index_of, array_index_of },
    { "slice", text_slice, array_slice },
    { "join", NULL, array_join },
    { "startsWith", text_starts_with, NULL },
    { "endsWith", text_ends_with, NULL },
    { "toLowerCase", text_to_lower, NULL },
    { "toUpperCase", text_to_upper, NULL },
    { "trim", text_trim, NULL },
    { "substring", text_substring, NULL },
    { "split", text_split, NULL },
};

const struct wf_expr_method *wf_expr_find_method(struct wf_text name)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (wf_text_equal(name, wf_text_of(methods[i].name)))
            return &methods[i];
    return NULL;
}

int wf_expr_call_method(const struct wf_expr_method *method,
                        const struct wf_expr_call *call, struct wf_expr_value *out)
{
    if (wf_expr_is_nullish(&call->self))
        return wf_expr_fail(call->expr, "Cannot read properties of %s (reading '%s')",
                            call->self.kind == WF_EXPR_NULL ? "null" : "undefined",
                            method->name);
    if (call->self.kind == WF_EXPR_STRING && method->on_text != NULL)
        return method->on_text(call, out);
    if (wf_expr_is_array(&call->self) && method->on_array != NULL)
        return method->on_array(call, out);
    return wf_expr_fail(call->expr, "%s is not a function", method->name);
}
