/* SQL of notifications. §5.3.5 */
#include "workflow/store/store_text.h"

/* For the customer of the run, else for who has the e-mail. $1 id, $2 project, $3 user or
 * NULL, $4 e-mail or NULL, $5 title, $6 message, $7 metadata. 0 id; no row: nobody. */
const char wf_sql_notify[] =
    "insert into notifications (id, project_id, user_id, channel, title, message, "
    "metadata,"
    "  sent_at)"
    " select $1, $2, u.id, 'email', $5, $6, $7::jsonb, " NOW " from users u"
    "  where u.project_id = $2 and (u.id = $3 or ($3 is null and u.email = $4))"
    "  limit 1 returning id";
