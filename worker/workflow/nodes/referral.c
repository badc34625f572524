#include "workflow/nodes/referral.h"

#include <stdlib.h>

#include "workflow/base/mem.h"
#include "workflow/run/io.h"
#include "workflow/run/log.h"
#include "workflow/run/person.h"
#include "workflow/base/ids.h"

#define REFUSED "referralRefused" /* why, in run->scratch */

bool wf_referral_refused(struct wf_run *run)
{
    if (json_object_get(run->scratch, REFUSED) != NULL)
        return false;
    wf_json_set_text(run->scratch, REFUSED, wf_db_message(run));
    return true;
}

void wf_referral_add(struct wf_run *run, const char *user_id)
{
    bool again = json_object_get(run->scratch, REFUSED) != NULL;
    enum { IDS = 5 };
    char ids[IDS][WF_ID_SIZE];

    for (size_t i = 0; i < IDS; i++)
        wf_id_random(ids[i]);
    (void)wf_db_add(run, WF_SQL_user_referral, user_id, again ? NULL : run->project_id,
                    ids[0], ids[1], ids[2], ids[3], ids[4]);
}

void wf_referral_done(struct wf_run *run, size_t index, bool pending)
{
    const char *referrer = wf_db_value(run, index, 0, WF_COL_user_referral_referrer);

    if (referrer != NULL)
        wf_person_changed(run, referrer);
    if (pending && wf_db_rows(run, index) == 0) {
        char *text = wf_printf("the pending referral is left as it is: %s",
                               wf_member(run->scratch, REFUSED, ""));

        wf_log_warn(run, text);
        free(text);
    }
}
