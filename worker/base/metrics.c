#include "base/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void metric_fini(struct wk_metric *row)
{
    free(row->name);
    free(row->help);
    free(row->queue);
    free(row->label);
    free(row->label_value);
}

void wk_metrics_fini(struct wk_metrics *metrics)
{
    for (size_t i = 0; i < metrics->count; i++)
        metric_fini(&metrics->rows[i]);
    free(metrics->rows);
    *metrics = (struct wk_metrics){ 0 };
}

/* ---- adding */

static bool make_room(struct wk_metrics *metrics)
{
    size_t cap = metrics->cap > 0 ? metrics->cap * 2 : 64;
    struct wk_metric *rows;

    if (metrics->count < metrics->cap)
        return true;
    rows = reallocarray(metrics->rows, cap, sizeof *rows);
    if (rows == NULL)
        return false;
    metrics->rows = rows;
    metrics->cap = cap;
    return true;
}

static bool copy(char **to, const char *text)
{
    if (text == NULL)
        return true;
    *to = strdup(text);
    return *to != NULL;
}

/* The new row, its value still to be set; NULL: it is dropped. */
static struct wk_metric *add_row(struct wk_metrics *metrics, const char *name,
                                 const char *help, const char *label,
                                 const char *label_value)
{
    struct wk_metric *row;

    if (!make_room(metrics)) {
        metrics->incomplete = true;
        return NULL;
    }
    row = &metrics->rows[metrics->count];
    *row = (struct wk_metric){ 0 };
    if (!copy(&row->name, name) || !copy(&row->help, help) ||
        !copy(&row->queue, metrics->queue) || !copy(&row->label, label) ||
        !copy(&row->label_value, label_value)) {
        metric_fini(row);
        metrics->incomplete = true;
        return NULL;
    }
    metrics->count++;
    return row;
}

void wk_metrics_counter(struct wk_metrics *metrics, const char *name, const char *help,
                        const char *label, const char *label_value, uint64_t value)
{
    struct wk_metric *row = add_row(metrics, name, help, label, label_value);

    if (row != NULL) {
        row->counter = true;
        row->count = value;
    }
}

void wk_metrics_gauge(struct wk_metrics *metrics, const char *name, const char *help,
                      const char *label, const char *label_value, double value)
{
    struct wk_metric *row = add_row(metrics, name, help, label, label_value);

    if (row != NULL)
        row->value = value;
}

/* ---- Prometheus text */

static int add_label(struct bw_buf *out, const char *key, const char *value,
                     const char **glue)
{
    int rc;

    if (key == NULL || value == NULL)
        return BW_OK;
    rc = bw_buf_addf(out, "%s%s=\"", *glue, key);
    for (; rc == BW_OK && *value != '\0'; value++) {
        if (*value == '\\' || *value == '"')
            rc = bw_buf_addf(out, "\\%c", *value);
        else if (*value == '\n')
            rc = bw_buf_add_str(out, "\\n");
        else
            rc = bw_buf_add_char(out, *value);
    }
    *glue = ",";
    return rc == BW_OK ? bw_buf_add_char(out, '"') : rc;
}

static int add_value(struct bw_buf *out, const struct wk_metric *row)
{
    if (row->counter)
        return bw_buf_addf(out, " %" PRIu64 "\n", row->count);
    if (fabs(row->value) < 1e15 && floor(row->value) == row->value)
        return bw_buf_addf(out, " %.0f\n", row->value);
    return bw_buf_addf(out, " %.15g\n", row->value);
}

static int add_sample(struct bw_buf *out, const struct wk_metric *row)
{
    const char *glue = "{";
    int rc = bw_buf_addf(out, "bulwark_%s%s", row->name, row->counter ? "_total" : "");

    if (rc == BW_OK)
        rc = add_label(out, "queue", row->queue, &glue);
    if (rc == BW_OK)
        rc = add_label(out, row->label, row->label_value, &glue);
    if (rc == BW_OK && *glue == ',')
        rc = bw_buf_add_char(out, '}');
    return rc == BW_OK ? add_value(out, row) : rc;
}

static int add_head(struct bw_buf *out, const struct wk_metric *row)
{
    const char *suffix = row->counter ? "_total" : "";

    return bw_buf_addf(out, "# HELP bulwark_%s%s %s\n# TYPE bulwark_%s%s %s\n", row->name,
                       suffix, row->help, row->name, suffix,
                       row->counter ? "counter" : "gauge");
}

/* Rows are few hundreds; where a name was first seen is found by looking. */
static bool is_first(const struct wk_metrics *metrics, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(metrics->rows[i].name, metrics->rows[index].name) == 0)
            return false;
    }
    return true;
}

int wk_metrics_text(const struct wk_metrics *metrics, struct bw_buf *out)
{
    for (size_t i = 0; i < metrics->count; i++) {
        int rc;

        if (!is_first(metrics, i))
            continue;
        rc = add_head(out, &metrics->rows[i]);
        for (size_t j = i; rc == BW_OK && j < metrics->count; j++) {
            if (strcmp(metrics->rows[j].name, metrics->rows[i].name) == 0)
                rc = add_sample(out, &metrics->rows[j]);
        }
        if (rc != BW_OK)
            return rc;
    }
    return BW_OK;
}

/* ---- JSON */

static json_t *json_value(const struct wk_metric *row)
{
    if (row->counter)
        return json_integer((json_int_t)row->count);
    return isfinite(row->value) ? json_real(row->value) : json_null();
}

static int set_row(json_t *object, const struct wk_metric *row)
{
    json_t *inner;

    if (row->label == NULL)
        return json_object_set_new(object, row->name, json_value(row));
    inner = json_object_get(object, row->name);
    if (inner == NULL) {
        inner = json_object();
        if (json_object_set_new(object, row->name, inner) != 0)
            return -1;
    }
    return json_object_set_new(inner, row->label_value != NULL ? row->label_value : "",
                               json_value(row));
}

json_t *wk_metrics_json(const struct wk_metrics *metrics)
{
    json_t *object = json_object();

    for (size_t i = 0; object != NULL && i < metrics->count; i++) {
        if (set_row(object, &metrics->rows[i]) != 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}
