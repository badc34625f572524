-- What embed-lua and embed-sql share: files in, files out, bytes as C. Loaded by both.

local embed = {}
local program = arg[0]:match('[^/]*$')

function embed.fail(format, ...)
    io.stderr:write(program, ': ', string.format(format, ...), '\n')
    os.exit(1)
end

function embed.read_file(path)
    local file, why = io.open(path, 'rb')
    if not file then
        embed.fail('%s', why)
    end
    local text = file:read('*a')
    file:close()
    return text
end

-- Replaces the file only when it changes, so that nothing is rebuilt for nothing.
function embed.write_file(path, text)
    local old = io.open(path, 'rb')
    if old then
        local same = old:read('*a') == text
        old:close()
        if same then
            return
        end
    end
    local file, why = io.open(path, 'wb')
    if not file then
        embed.fail('%s', why)
    end
    if not file:write(text) or not file:close() then
        embed.fail('%s: cannot be written', path)
    end
end

function embed.shell_quote(text)
    return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The names of the files <name>.<ending> in `dir`, sorted.
function embed.list(dir, ending)
    local names = {}
    local pipe = assert(io.popen('ls ' .. embed.shell_quote(dir)))
    for line in pipe:lines() do
        names[#names + 1] = line:match('^([%l_]+)%.' .. ending .. '$')
    end
    pipe:close()
    table.sort(names)
    return names
end

-- The elements of an array of bytes: long string literals exceed what ISO C promises.
function embed.byte_rows(text)
    local rows = {}
    for at = 1, #text, 16 do
        local row = { text:byte(at, at + 15) }
        rows[#rows + 1] = '    ' .. table.concat(row, ', ') .. ','
    end
    return table.concat(rows, '\n')
end

-- Both arguments of a program that is called with two, or its end.
function embed.arguments(usage)
    if arg[1] == '--help' then
        io.write(usage)
        os.exit(0)
    elseif #arg ~= 2 then
        io.stderr:write(usage)
        os.exit(2)
    end
    return arg[1], arg[2]
end

return embed
