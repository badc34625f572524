/* Figures of a struct, a row each (<bulwark/stats.h>): as JSON, as metrics, as fields of
 * a line in the log. Pure; any thread. */
#ifndef WORKER_FIGURES_H
#define WORKER_FIGURES_H

#include <stddef.h>

#include <jansson.h>

#include <bulwark/log.h>
#include <bulwark/stats.h>

#include "handlers/handler.h"

enum wk_figure_type {
    WK_FIGURE_TOTAL,
    WK_FIGURE_COUNT,
    WK_FIGURE_FLAG,
    WK_FIGURE_AT_MS,
    WK_FIGURE_FOR_MS
};

struct wk_figure {
    enum wk_figure_type type;
    size_t offset;
    /* In JSON and in the log. */
    const char *name;
    /* NULL: none. */
    const char *metric;
    const char *label, *label_value;
    const char *help;
};

/* One of a table: static const struct wk_figure rows[] = { ROWS(WK_FIGURE) }, where OWNER
 * names the struct. */
#define WK_FIGURE(type_, member, name_, metric_, label_, value_, help_)                  \
    { .type = WK_FIGURE_##type_,                                                         \
      .offset = offsetof(OWNER, member),                                                 \
      .name = (name_),                                                                   \
      .metric = (metric_),                                                               \
      .label = (label_),                                                                 \
      .label_value = (value_),                                                           \
      .help = (help_) },

/* Adds them to a JSON object. False: out of memory. */
BW_MUSTCHECK bool wk_figures_json(const struct wk_figure *rows, size_t count,
                                  const void *base, json_t *object);
void wk_figures_metrics(const struct wk_figure *rows, size_t count, const void *base,
                        struct wk_metrics *metrics);

/* Room for the fields of one line. */
#define WK_FIGURES_MAX 24
/* Appends to `fields` from `at` on; returns the new end. */
size_t wk_figures_fields(const struct wk_figure *rows, size_t count, const void *base,
                         struct bw_log_field fields[WK_FIGURES_MAX], size_t at);

#endif
