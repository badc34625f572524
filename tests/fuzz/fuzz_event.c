/* A job's context, as any producer may send it: event and telegram object. */
#include "fuzz.h"

#include "workflow/language/event.h"
#include "workflow/language/event_telegram.h"
#include "workflow/language/sanitise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *context =
        json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    struct wf_event event;

    json_decref(wf_sanitise(context));
    if (wf_event_parse(&event, context, size % 2 == 0 ? "start" : NULL, NULL) == BW_OK)
        json_decref(wf_event_telegram(&event));
    wf_event_fini(&event);
    json_decref(context);
    return 0;
}
