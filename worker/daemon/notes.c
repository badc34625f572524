#include "daemon/notes.h"

#include <stdio.h>
#include <string.h>

void wk_notes_log(const struct bw_log *log, const struct wk_config *config)
{
    const char *line = bw_buf_text(&config->notes);

    while (*line != '\0') {
        size_t len = strcspn(line, "\n");
        char text[256];

        (void)snprintf(text, sizeof text, "%.*s", (int)len, line);
        bw_log(log, BW_LOG_WARNING, "configuration", bw_text("note", text));
        line += len + (line[len] == '\n');
    }
}
