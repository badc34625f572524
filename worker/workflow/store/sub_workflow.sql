-- § is of worker/workflow/spec/workflow.md.

--- statement sub_workflow: a node, reads
-- A workflow to call. $2 is NULL: its active version. §5.5
--- $1 workflow text
--- $2 version integer
--- gives project text
--- gives version integer: or NULL
-- No row: no such workflow.
select w.project_id as project, (select v.version from workflow_versions v
   where v.workflow_id = w.id
     and (v.version = $2::integer or ($2 is null and v.is_active))
   order by v.created_at desc limit 1) as version
 from workflows w where w.id = $1
