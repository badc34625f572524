-- § is of worker/workflow/spec/workflow.md.

--- statement orders: a node, reads
-- A customer's orders, the newest ten. Appendix B
--- $1 project text
--- $2 user text
--- $3 time_zone text
--- gives number text
--- gives day text
--- gives sum numeric(10,2)
--- gives status text
--- gives items text: the first three, or NULL
select o.order_number as number,
 to_char(o.created_at at time zone 'UTC' at time zone $3, 'DD.MM.YYYY') as day,
 case when o.accounted_purchase_amount > 0 then o.accounted_purchase_amount
  else o.total_amount end as sum,
 o.status::text as status,
 (select string_agg(i.name || ' × ' || i.quantity, ', ' order by i.id)
   from (select id, name, quantity from order_items where order_id = o.id
          order by id limit 3) i) as items
 from orders o where o.project_id = $1 and o.user_id = $2
 order by o.created_at desc, o.id desc limit 10
