-- § is of worker/workflow/spec/workflow.md.

--- statement spend_bonus: a node
-- spend_bonus: check and update in one statement, behind user_lock in the same batch.
-- §8.4
--- $1 user text
--- $2 project text
--- $3 amount numeric
--- $4 description text
--- $5 transaction text: id of the new row
--- $6 owner text: of the effect
--- $7 node text
--- $8 visit integer: in this job
--- $9 workflow text
--- $10 execution text
--- $11 steps_before integer: of this job
--- gives exists boolean: the customer does
--- gives total numeric: of his active bonuses
--- gives before jsonb: result of this very visit if it was done before
--- gives now jsonb: its result now; NULL: the balance is too small
with x as materialized (select @external_id($6::text, $7::text, $8, $11) as id),
 done as materialized (select metadata -> 'result' as result from transactions
   where external_id = (select id from x)),
 who as materialized (select id from users where id = $1 and project_id = $2),
 b as materialized (select id, amount, created_at from bonuses
   where user_id = (select id from who) and amount > 0 and @active_bonus
   and not exists (select 1 from done) order by created_at, id for update),
 t as materialized (select coalesce(sum(amount), 0) as total from b),
 p as materialized (select id, amount, created_at, least(amount, greatest(0,
   $3::numeric - (sum(amount) over (order by created_at, id) - amount))) as take
   from b where (select total from t) >= $3::numeric),
 used as (update bonuses y set amount = y.amount - p.take, is_used = y.amount = p.take
   from p where y.id = p.id and p.take > 0),
 now_result as (select jsonb_build_object('spent', trim_scale($3::numeric),
   'remaining', trim_scale(total - $3::numeric)) as result from t
   where total >= $3::numeric and exists (select 1 from who)
     and not exists (select 1 from done)),
 tx as (insert into transactions (id, user_id, amount, type, description, metadata,
                                  external_id, created_at)
   select $5, who.id, $3::numeric, 'SPEND', coalesce($4,
     'Списано ' || trim_scale($3::numeric) || ' бонусов'), jsonb_build_object(
     'source', 'workflow', 'workflowId', $9::text, 'executionId', $10::text,
     'nodeId', $7::text, 'allocations', (select coalesce(jsonb_agg(jsonb_build_object(
     'bonusId', p.id, 'amount', trim_scale(p.take)) order by p.created_at, p.id), '[]')
     from p where p.take > 0), 'result', now_result.result), x.id, @now
   from who, now_result, x)
 select exists (select 1 from who) as exists, (select trim_scale(total) from t) as total,
  (select result from done) as before, (select result from now_result) as now
