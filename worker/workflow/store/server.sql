-- § is of worker/workflow/spec/workflow.md.

--- statement writable: every message, reads
-- Whether the server takes writes at all.
--- gives read_only text: `on` on a standby, or where the server was told so
select current_setting('transaction_read_only') as read_only

--- statement advisory_lock: a node, reads
-- Stands in for a Redis lock inside a transaction about money. §10.6
--- $1 key text
--- gives locked void
select pg_advisory_xact_lock(hashtextextended($1, 0)) as locked
