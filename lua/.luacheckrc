-- For the scripts as scripts/embed-lua assembles them.
std = 'lua51'
read_globals = { 'redis', 'cjson', 'KEYS', 'ARGV' }
max_line_length = 110
ignore = {
    '211', -- a shared part holds more than each script uses
    '411/call', '431/call', '431/meta', '431/now', '431/call_delete' -- and names them as the scripts do
}
