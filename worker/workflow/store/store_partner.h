/* Parts of SQL about partners: memberships and teams. Appendix A.1. Arguments are SQL. */
#ifndef WORKFLOW_STORE_PARTNER_H
#define WORKFLOW_STORE_PARTNER_H

#include "workflow/store/store_text.h"

/* clang-format off */

/* Memberships in organisations that are active; PARTNER_ORDER puts the best first. */
#define PARTNER_MEMBERSHIPS(project, user) \
    "select pm.organization_id, pm.title, pm.level, pm.can_manage, pm.created_at, pm.id," \
    "       po.name, po.slug, pm.can_manage or pm.level is not null as refers" \
    "  from partner_organization_memberships pm" \
    "  join partner_organizations po on po.id = pm.organization_id and po.is_active" \
    " where pm.project_id = " project " and pm.user_id = " user
#define PARTNER_ORDER " order by can_manage desc, level desc, created_at, id"

/* id, is_direct: members of organisations the viewer manages, and all below him in the
 * graph of referrals. `org`: one organisation, or NULL. The edges are not gathered first:
 * most viewers have nobody below them, and then one look is enough. */
#define PARTNER_TEAM(project, viewer, org) \
    "with recursive mine as (" \
    " select organization_id from partner_organization_memberships" \
    "  where project_id = " project " and user_id = " viewer " and can_manage" \
    "    and (" org "::text is null or organization_id = " org ")" \
    "), managed as (" \
    " select pm.user_id as id from partner_organization_memberships pm" \
    "   join mine using (organization_id) where pm.project_id = " project \
    "), edge as not materialized (" \
    " select referrer_user_id as parent, child_user_id as child" \
    "   from partner_referral_links" \
    "  where project_id = " project " and (" org "::text is null or organization_id = " org ")" \
    "  union all" \
    " select pu.referred_by, pu.id from users pu" \
    "  where " org "::text is null and pu.project_id = " project \
    "    and pu.referred_by is not null" \
    "    and not exists (select 1 from partner_referral_links pl" \
    "          where pl.project_id = " project " and pl.child_user_id = pu.id)" \
    "), direct as materialized (" \
    " select child as id from edge where parent = " viewer \
    "), walk as (" \
    " select id from direct" \
    "  union" \
    " select e.child from edge e join walk w on e.parent = w.id" \
    ") select pt.id, pt.id in (select id from direct) as is_direct" \
    "    from (select id from managed union select id from walk) pt" \
    "   where pt.id <> " viewer

/* What the variables of Appendix A.1 are made of. */
#define PARTNER_CARD(project, user) \
    "with ms as (" PARTNER_MEMBERSHIPS(project, user) ")" \
    " select jsonb_build_object('organizations', (select count(*) from ms)," \
    "   'manages', exists (select 1 from ms where can_manage)," \
    "   'title', (select nullif(btrim(title), '') from ms" PARTNER_ORDER " limit 1)," \
    "   'level', (select level from ms" PARTNER_ORDER " limit 1)," \
    "   'team', (select jsonb_build_object('all', count(*)," \
    "      'direct', count(*) filter (where is_direct))" \
    "      from (" PARTNER_TEAM(project, user, "null") ") team))"

/* clang-format on */

#endif
