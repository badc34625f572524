#include "workflow/store/store.h"

#include "base/assert.h"

const struct wf_statement *wf_store_statement(enum wf_sql sql)
{
    BW_ASSERT((unsigned)sql < WF_SQL_COUNT);
    return &wf_statements[sql];
}

enum wf_need wf_store_need(enum wf_sql sql)
{
    return wf_store_statement(sql)->need;
}

bool wf_store_reads(enum wf_sql sql)
{
    return wf_store_statement(sql)->reads;
}
