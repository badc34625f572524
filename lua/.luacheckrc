-- Redis's Lua 5.1 and what it offers to scripts.
std = "lua51"
max_line_length = 100
read_globals = { "redis", "cjson", "cmsgpack", "bit", "KEYS", "ARGV" }
