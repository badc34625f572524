#include "base/figures.h"

#include "base/assert.h"

/* A member as a number; which types fit is what the rows are made from. */
static int64_t value_of(const struct wk_figure *row, const void *base)
{
    const void *at = (const char *)base + row->offset;

    switch (row->type) {
    case WK_FIGURE_TOTAL:
        return (int64_t) * (const uint64_t *)at;
    case WK_FIGURE_COUNT:
        return *(const unsigned *)at;
    case WK_FIGURE_FLAG:
        return *(const bool *)at;
    case WK_FIGURE_AT_MS:
    case WK_FIGURE_FOR_MS:
        break;
    }
    return *(const int64_t *)at;
}

bool wk_figures_json(const struct wk_figure *rows, size_t count, const void *base,
                     json_t *object)
{
    bool whole = object != NULL;

    for (size_t i = 0; whole && i < count; i++) {
        int64_t value = value_of(&rows[i], base);

        whole = json_object_set_new(object, rows[i].name,
                                    rows[i].type == WK_FIGURE_FLAG
                                        ? json_boolean(value != 0)
                                        : json_integer((json_int_t)value)) == 0;
    }
    return whole;
}

void wk_figures_metrics(const struct wk_figure *rows, size_t count, const void *base,
                        struct wk_metrics *metrics)
{
    for (size_t i = 0; i < count; i++) {
        const struct wk_figure *row = &rows[i];
        int64_t value = value_of(row, base);
        bool ms = row->type == WK_FIGURE_AT_MS || row->type == WK_FIGURE_FOR_MS;

        if (row->metric == NULL)
            continue;
        if (row->type == WK_FIGURE_TOTAL)
            wk_metrics_counter(metrics, row->metric, row->help, row->label,
                               row->label_value, (uint64_t)value);
        else
            wk_metrics_gauge(metrics, row->metric, row->help, row->label,
                             row->label_value, (double)value / (ms ? 1000.0 : 1.0));
    }
}

size_t wk_figures_fields(const struct wk_figure *rows, size_t count, const void *base,
                         struct bw_log_field fields[WK_FIGURES_MAX], size_t at)
{
    BW_ASSERT(at + count < WK_FIGURES_MAX);
    for (size_t i = 0; i < count; i++)
        fields[at++] = bw_num(rows[i].name, value_of(&rows[i], base));
    return at;
}
