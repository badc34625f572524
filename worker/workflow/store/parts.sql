-- § is of worker/workflow/spec/workflow.md.

--- part now
-- Timestamps are without time zone and hold UTC. §0.3
(now() at time zone 'UTC')

--- part iso(column)
-- As JavaScript writes a time. §0.3
to_char(@column, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')

--- part person(prefix)
-- In a group a session belongs to one person; NULL: a private chat. §3.5
(@prefix::text is null
 or split_part(session_id, '_', 2) = split_part(@prefix, '_', 2))

--- part jobs_of(payload)
-- The jobs that touched a row, the last eight, as its wait_payload keeps them. §3.9.2
jsonb_array_elements(case when jsonb_typeof(@payload -> 'jobs') = 'array'
 then @payload -> 'jobs' end)

--- part jobs(payload, key, atm, result)
-- `payload` with job `key` (started `atm` attempts after its first) and its result, NULL
-- while it has none. §3.9.2
jsonb_build_object('jobs', coalesce((select jsonb_agg(t.j order by t.n) from
 (select j, n from @jobs_of(@payload) with ordinality as a(j, n)
   where j ->> 'job' <> @key::text order by n desc limit 7) t), '[]'::jsonb)
 || jsonb_build_array(jsonb_build_object('job', @key::text, 'atm', @atm::integer,
 'result', @result::jsonb)))

--- part jobs_kept(payload)
-- What stays of a payload when a wait is over. §3.9.2
case when @payload ? 'jobs' then jsonb_build_object('jobs', @payload -> 'jobs') end

--- part job_is_over(payload, key, atm)
-- The job's end is recorded in the row. §3.9.2
exists (select 1 from @jobs_of(@payload) j where j ->> 'job' = @key
 and j ->> 'atm' = @atm::text and jsonb_typeof(j -> 'result') = 'boolean')

--- part job_is_named(payload, key)
(@payload @> jsonb_build_object('jobs',
 jsonb_build_array(jsonb_build_object('job', @key::text))))

--- part ours(key, number)
-- The row is in the hands of this job, and its checkpoint's number is as said: `< 5`.
coalesce(wait_payload ->> 'claimedBy', @key) = @key
 and coalesce((wait_payload #>> '{checkpoint,seq}')::bigint, 0) @number::bigint

--- part found
-- The user that is given as $1, or the one the statement user_found has found.
coalesce($1::text, nullif(current_setting('bulwark.found', true), ''))

--- part active_bonus
-- Not used and not expired. §2.3
not is_used and (expires_at is null or expires_at > @now)

--- part balance_of(u)
-- The active bonuses of the row `u`.
(select trim_scale(coalesce(sum(amount), 0)) from bonuses where user_id = @u.id
 and @active_bonus)

--- part u_json(u)
-- U-JSON of the row `u`. Ids of messengers are absent when NULL. §8.2
jsonb_strip_nulls(jsonb_build_object('telegramId', @u.telegram_id::text,
 'maxId', @u.max_id::text)) || jsonb_build_object('id', @u.id,
 'projectId', @u.project_id, 'email', @u.email, 'phone', @u.phone,
 'firstName', @u.first_name, 'lastName', @u.last_name,
 'birthDate', to_char(@u.birth_date, 'YYYY-MM-DD"T00:00:00.000Z"'),
 'telegramUsername', @u.telegram_username, 'maxUsername', @u.max_username,
 'isActive', @u.is_active, 'registeredAt', @iso(@u.registered_at),
 'updatedAt', @iso(@u.updated_at), 'currentLevel', @u.current_level,
 'referralCode', @u.referral_code, 'referredBy', @u.referred_by,
 'totalPurchases', trim_scale(@u.total_purchases)) || jsonb_build_object(
 'utmCampaign', @u.utm_campaign, 'utmContent', @u.utm_content,
 'utmMedium', @u.utm_medium, 'utmSource', @u.utm_source,
 'utmTerm', @u.utm_term)

--- part external_id(execution, node, visit, before)
-- What one visit of a node did is known by this key; visits of earlier jobs of the
-- execution are counted by their log rows, up to the step where this job took it. §3.9.3
'wf:' || @execution || ':' || @node || ':' || (@visit::integer + (
 select count(*) from workflow_logs where execution_id = @execution
 and node_id = @node and step <= @before::integer))
