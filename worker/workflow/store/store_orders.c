/* SQL of a customer's orders. Appendix B */
#include "workflow/store/store_text.h"

/* The newest ten. $1 project, $2 user, $3 time zone. 0 number, 1 day, 2 sum, 3 status,
 * 4 its first three items or NULL */
const char wf_sql_orders[] =
    "select o.order_number,"
    " to_char(o.created_at at time zone 'UTC' at time zone $3, 'DD.MM.YYYY'),"
    " case when o.accounted_purchase_amount > 0 then o.accounted_purchase_amount"
    "  else o.total_amount end,"
    " o.status::text,"
    " (select string_agg(i.name || ' × ' || i.quantity, ', ' order by i.id)"
    "   from (select id, name, quantity from order_items where order_id = o.id"
    "          order by id limit 3) i)"
    " from orders o where o.project_id = $1 and o.user_id = $2"
    " order by o.created_at desc, o.id desc limit 10";
