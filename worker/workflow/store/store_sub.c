/* SQL of sub-workflows. §5.5 */
#include "workflow/store/store_text.h"

/* $1 workflow, $2 version or NULL: the active one. 0 project, 1 version or null. No row:
 * no such workflow. */
const char wf_sql_sub_workflow[] =
    "select w.project_id, (select v.version from workflow_versions v"
    "   where v.workflow_id = w.id"
    "     and (v.version = $2::integer or ($2 is null and v.is_active))"
    "   order by v.created_at desc limit 1)"
    " from workflows w where w.id = $1";
