#include "workflow/authoring/check/site.h"

#include <stdarg.h>

#include "base/nearest.h"
#include "workflow/base/mem.h"

void wf_site_problem(const struct wf_site *site, const char *field, const char *format,
                     ...)
{
    struct bw_buf text = BW_BUF_INIT;
    va_list args;

    va_start(args, format);
    wf_check(bw_buf_vaddf(&text, format, args));
    va_end(args);
    wf_problems_add(site->problems, site->node->id, field, "%s", bw_buf_text(&text));
    bw_buf_fini(&text);
}

void wf_site_unknown(const struct wf_site *site, const char *field, const char *what,
                     const char *word,
                     const char *(*name_at)(const void *arg, size_t index))
{
    const char *near = wk_nearest(word, name_at, NULL);

    if (near != NULL)
        wf_site_problem(site, field, "%s \"%.60s\", did you mean \"%s\"?", what, word,
                        near);
    else
        wf_site_problem(site, field, "%s \"%.60s\"", what, word);
}
