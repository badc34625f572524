-- § is of worker/workflow/spec/workflow.md.

--- statement partner_payouts: a node
-- Commissions, the newest first. Appendix A.2
--- $1 project text
--- $2 viewer text
--- $3 limit integer
--- $4 time_zone text
--- gives day text
--- gives amount numeric(10,2)
--- gives whose text: purchase it was, or NULL
--- gives level integer: or NULL
select to_char(t.created_at at time zone 'UTC' at time zone $4, 'DD.MM') as day,
   t.amount,
   @listed_name(c) as whose, t.referral_level as level
  from (select * @commission_of($2) order by created_at desc, id desc
         limit $3::integer) t
  join users u on u.id = t.user_id and u.project_id = $1
  left join users c on c.id = t.referral_user_id and c.project_id = $1
 order by t.created_at desc, t.id desc
