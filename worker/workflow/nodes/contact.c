/* action.check_user_linked, action.find_user_by_contact. worker/workflow/spec/workflow.md
 * §5.3.6 */
#include "workflow/nodes/nodes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/run/io.h"
#include "workflow/run/node_result.h"
#include "workflow/run/values.h"
#include "workflow/nodes/query/param.h"

#define PHONE_DIGITS 7 /* fewer are no phone number */

static wf_step checked, found;

static size_t digits_in(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += isdigit((unsigned char)*text) != 0;
    return count;
}

static char *lower(char *text)
{
    for (char *at = text; at != NULL && *at != '\0'; at++)
        *at = (char)((unsigned char)*at < 0x80 ? tolower((unsigned char)*at) : *at);
    return text;
}

/* --- check_user_linked */

enum wf_action wf_start_check_linked(struct wf_run *run)
{
    char *given = wf_run_text(run, run->node->config, "userIdentifier", "telegramUserId");
    bool email = given != NULL && strchr(given, '@') != NULL;
    bool phone = given != NULL && !email && digits_in(given) >= PHONE_DIGITS;
    char *forms;

    if (given == NULL)
        return wf_node_fail(run, "userIdentifier is required");
    forms = phone ? wf_phone_forms(given) : NULL;
    wf_db_begin(run);
    /* an id of Telegram comes before a phone of the same digits */
    (void)wf_db_add(run, WF_SQL_user_by_contact, run->project_id,
                    email ? NULL : wf_db_bigint(given), forms,
                    email ? lower(given) : NULL, "false");
    free(forms);
    free(given);
    wf_db_run(run, checked, NULL);
    return WF_PENDING;
}

static void checked(struct wf_run *run)
{
    const char *assign = wf_run_assign(run->node, "isUserLinked");
    json_t *user = wf_loads(wf_db_value(run, 0, 0, WF_COL_user_by_contact_customer));
    bool linked = json_object_get(user, "telegramId") != NULL;

    wf_run_set(run, assign, json_boolean(linked), 0);
    if (user != NULL) {
        char *name = wf_printf("%s_user", assign);

        wf_run_set(run, name, user, 0);
        free(name);
    }
    run->resume(run, wf_node_next());
}

/* --- find_user_by_contact */

enum wf_action wf_start_find_user(struct wf_run *run)
{
    const json_t *config = run->node->config;
    char *value = wf_run_text(run, config, "contactValue", NULL);
    bool email = strcmp(wf_member(config, "contactType", "phone"), "email") == 0;
    char *forms;

    if (value == NULL)
        return wf_node_fail(run, "contactValue is required");
    forms = email ? NULL : wf_phone_forms(value);
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_user_any_contact, run->project_id, forms,
                    email ? lower(value) : NULL, NULL);
    free(forms);
    free(value);
    wf_db_run(run, found, NULL);
    return WF_PENDING;
}

static void found(struct wf_run *run)
{
    json_t *user = wf_loads(wf_db_value(run, 0, 0, WF_COL_user_any_contact_customer));

    wf_run_set(run, wf_run_assign(run->node, "foundUser"),
               user != NULL ? user : json_null(), 0);
    run->resume(run, wf_node_next());
}
