-- § is of worker/workflow/spec/workflow.md.

--- statement project: every message, reads
-- A project as its settings are, its bot and its levels. §6.3
--- $1 project text
--- gives object text: as templates see it
--- gives bot_token text
--- gives bot_is_active boolean
--- gives max_steps integer
--- gives timeout_ms integer
--- gives variables text: of the project, one object
--- gives levels text: those that are active, by min_amount
--- gives bot_username text
-- No row: no such project.
select jsonb_build_object('id', p.id, 'name', p.name, 'domain', p.domain,
 'bonusPercentage', trim_scale(p.bonus_percentage),
 'bonusExpiryDays', p.bonus_expiry_days,
 'bonusBehavior', upper(p.bonus_behavior::text), 'bonusMode', upper(p.bonus_mode::text),
 'operationMode', upper(p.operation_mode::text),
 'welcomeBonus', trim_scale(p.welcome_bonus),
 'welcomeBonusAmount', trim_scale(p.welcome_bonus),
 'welcomeRewardType', upper(p.welcome_reward_type::text),
 'firstPurchaseDiscountPercent', p.first_purchase_discount_percent,
 'maxPaymentPercentage', trim_scale(p.max_payment_percentage), 'isActive', p.is_active,
 'workflowMaxSteps', p.workflow_max_steps, 'workflowTimeoutMs', p.workflow_timeout_ms,
 'enablePartnerRoles', p.enable_partner_roles,
 'enablePartnerTeamManagement', p.enable_partner_team_management,
 'referralJoinRequiresApproval', p.referral_join_requires_approval,
 'referralPlansEnabled', p.referral_plans_enabled,
 'referralProgram', case when r.id is null then
   jsonb_build_object('welcomeBonus', trim_scale(p.welcome_bonus), 'isActive', false,
                      'bonusPercent', 0, 'referrerBonus', 0)
  else jsonb_build_object('id', r.id, 'projectId', r.project_id, 'isActive', r.is_active,
   'bonusPercent', r.bonus_percent, 'referrerBonus', trim_scale(r.referrer_bonus),
   'minPurchaseAmount', trim_scale(r.min_purchase_amount),
   'cookieLifetime', r.cookie_lifetime, 'welcomeBonus', trim_scale(r.welcome_bonus),
   'welcomeRewardType', upper(r.welcome_reward_type::text),
   'firstPurchaseDiscountPercent', r.first_purchase_discount_percent,
   'description', r.description, 'payoutMinAmount', trim_scale(r.payout_min_amount),
   'payoutHoldDays', r.payout_hold_days) end)::text as object,
 b.bot_token, b.is_active as bot_is_active, p.workflow_max_steps as max_steps,
 p.workflow_timeout_ms as timeout_ms,
 (select coalesce(jsonb_object_agg(v.key, v.value), '{}')::text
    from project_variables v where v.project_id = p.id) as variables,
 (select coalesce(jsonb_agg(jsonb_build_object('name', l.name,
    'min', trim_scale(l.min_amount), 'max', trim_scale(l.max_amount),
    'bonusPercent', l.bonus_percent, 'paymentPercent', l.payment_percent,
    'order', l."order") order by l.min_amount, l."order"), '[]')::text
    from bonus_levels l where l.project_id = p.id and l.is_active) as levels,
 b.bot_username
  from projects p
  left join bot_settings b on b.project_id = p.id
  left join referral_programs r on r.project_id = p.id
 where p.id = $1
