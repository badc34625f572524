#include "handlers/exec/vain.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

/* So many starts of each program, the last after about three seconds of pauses. */
enum { VAIN_STARTS = 6 };

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

struct kind { /* of a program, told by its words */
    const char *names[8], *ends[6];
    const char *likely;
};

static const struct kind kinds[] = {
    { { "bulwark-processor" },
      { NULL },
      "the processor file cannot be loaded: see what it says above" },
    { { "node", "nodejs", "bun", "deno", "tsx", "ts-node", "npx" },
      { ".js", ".cjs", ".mjs", ".ts" },
      "a BullMQ processor file does not speak the line protocol by itself; run it as "
      "\"exec\": [\"bulwark-processor\", \"FILE\"]" },
    { { "python", "python3", "uv" },
      { ".py" },
      "a Python program speaks the line protocol by means of bulwark_processor.py" },
};

static bool has_word(const struct kind *kind, const char *word)
{
    for (size_t i = 0; kind->names[i] != NULL; i++) {
        if (strcmp(base_name(word), kind->names[i]) == 0)
            return true;
    }
    for (size_t i = 0; kind->ends[i] != NULL; i++) {
        if (ends_with(word, kind->ends[i]))
            return true;
    }
    return false;
}

static const char *by_its_words(char *const *argv)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (size_t j = 0; argv[j] != NULL; j++) {
            if (has_word(&kinds[i], argv[j]))
                return kinds[i].likely;
        }
    }
    return "it must first write {\"type\":\"ready\"} and a line's end to its standard "
           "output";
}

/* By what the child said when it could not become the program. */
static const char *not_started(const char *line)
{
    if (strstr(line, "No such file or directory") != NULL)
        return "there is no such program, or not the interpreter in its first line";
    if (strstr(line, "Permission denied") != NULL)
        return "it is not executable (chmod +x), or a folder above it is closed to us";
    if (strstr(line, "Exec format error") != NULL)
        return "it is no program of this machine, or a script without #! and its "
               "interpreter in the first line";
    return "the system refuses to start it";
}

static const char *likely(const struct ex_program *program)
{
    if (strncmp(program->last_line, EX_CANNOT_START, sizeof EX_CANNOT_START - 1) == 0)
        return not_started(program->last_line);
    if (program->broke_protocol)
        return "its standard output belongs to the protocol: whatever else it prints "
               "goes to standard error";
    return by_its_words(program->common->settings.argv);
}

static void give_up_if_hopeless(struct ex_vain *vain)
{
    for (size_t i = 0; i < vain->count; i++) {
        if (vain->programs[i].vain_starts < VAIN_STARTS)
            return;
    }
    if (atomic_load(&vain->ever_ready) || atomic_exchange(&vain->hopeless, true))
        return;
    if (vain->env->hopeless != NULL)
        vain->env->hopeless(vain->env->hopeless_arg);
}

/* What needs Redis as we do is not to blame while it is away. */
static bool may_be_blamed(const struct ex_vain *vain)
{
    struct bw_worker_stats stats;

    bw_worker_stats(vain->env->worker, &stats);
    return stats.connected;
}

void ex_vain_init(struct ex_vain *vain, const struct wk_handler_env *env)
{
    *vain = (struct ex_vain){ .env = env };
    bw_mutex_init(&vain->mtx);
}

void ex_vain_fini(struct ex_vain *vain)
{
    bw_mutex_fini(&vain->mtx);
}

void ex_vain_end(struct ex_vain *vain, struct ex_program *program, const char *reason)
{
    const char *why = program->last_line[0] != '\0' ? program->last_line : reason;
    const char *cause = likely(program);

    BW_ASSERT(program->ready_since.ns == 0 && vain->count > 0);
    bw_log(&program->log, BW_LOG_ERROR, "a processor ended before it was ready",
           bw_text("reason", why), bw_text("likely", cause),
           bw_num("restartMs", bw_mono_ms_until(bw_mono_now(NULL), program->restart_at)));
    bw_mutex_lock(&vain->mtx);
    (void)snprintf(vain->why, sizeof vain->why, "%s (%s)", reason,
                   cause); /* cut: a hint */
    bw_mutex_unlock(&vain->mtx);
    if (may_be_blamed(vain))
        program->vain_starts++;
    give_up_if_hopeless(vain);
}

void ex_vain_over(struct ex_vain *vain)
{
    atomic_store(&vain->ever_ready, true);
    bw_mutex_lock(&vain->mtx);
    vain->why[0] = '\0';
    bw_mutex_unlock(&vain->mtx);
}

void ex_vain_why(struct ex_vain *vain, char *text, size_t size)
{
    bw_mutex_lock(&vain->mtx);
    (void)snprintf(text, size, "no processor is ready%s%s",
                   vain->why[0] != '\0' ? ": " : "", vain->why); /* cut: a hint */
    bw_mutex_unlock(&vain->mtx);
}

bool ex_vain_is_hopeless(const struct ex_vain *vain)
{
    return atomic_load(&vain->hopeless) && !atomic_load(&vain->ever_ready);
}
