-- Redis's Lua 5.1 and what it offers to scripts. Scripts are checked with their includes in place:
-- what one leaves unused (211) another needs.
std = "lua51"
max_line_length = 110
read_globals = { "redis", "cjson", "cmsgpack", "bit", "KEYS", "ARGV" }
ignore = { "211" }
