-- § is of worker/workflow/spec/workflow.md.

--- part version_columns
select v.id, v.workflow_id as workflow, v.version, v.nodes, v.entry_node_id as entry,
       v.variables, v.settings, @iso(v.created_at) as created_at, w.connections,
       v.created_at > @now - interval '10 seconds' as is_young
  from workflow_versions v join workflows w on w.id = v.workflow_id

--- statement versions: every message, reads
-- The active versions of a project's active workflows, the newest 20. §3.2
--- $1 project text
--- gives id text
--- gives workflow text
--- gives version integer
--- gives nodes jsonb
--- gives entry text
--- gives variables jsonb
--- gives settings jsonb
--- gives created_at text
--- gives connections jsonb
--- gives is_young boolean: less than 10 s (§10.3, rule 4)
@version_columns
 where w.project_id = $1 and w.is_active and v.is_active
 order by v.created_at desc limit 20

--- statement version: every message, reads
-- One version, whether active or not. §3.2
--- $1 project text
--- $2 workflow text
--- $3 version integer
--- gives the columns of versions
@version_columns
 where w.project_id = $1 and w.id = $2 and v.version = $3::integer
