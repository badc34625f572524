#include "support/bot_api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <curl/curl.h>

static void die(const char *what)
{
    (void)fprintf(stderr, "bot_api: %s (errno: %s)\n", what, strerror(errno));
    abort();
}

/* --- the program */

static void run_child(int in, int out)
{
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
        _exit(126);
    (void)execlp("node", "node", TESTS_DIR "/support/bot-api.mjs", "--with-stdin",
                 (char *)NULL); /* only returns when it failed */
    _exit(127);
}

static uint16_t read_port(int fd)
{
    FILE *out = fdopen(fd, "r");
    unsigned port = 0;

    if (out == NULL || fscanf(out, "{\"port\":%u}", &port) != 1 || port > UINT16_MAX)
        die("no port was printed");
    (void)fclose(out); /* it was only read */
    return (uint16_t)port;
}

void bot_api_start(struct bot_api *api)
{
    int in[2];
    int out[2];

    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        die("pipe failed");
    api->pid = fork();
    if (api->pid < 0)
        die("fork failed");
    if (api->pid == 0)
        run_child(in[0], out[1]);
    (void)close(in[0]); /* the child's ends */
    (void)close(out[1]);
    api->stdin_fd = in[1];
    api->port = read_port(out[0]);
    (void)snprintf(api->url, sizeof api->url, "http://127.0.0.1:%u",
                   (unsigned)api->port); /* fits */
}

void bot_api_stop(struct bot_api *api)
{
    if (api->pid == 0)
        return;
    (void)close(api->stdin_fd); /* nothing was written to it */
    while (waitpid(api->pid, NULL, 0) < 0)
        if (errno != EINTR)
            die("waitpid failed");
    memset(api, 0, sizeof *api);
}

/* --- control */

static size_t add_data(char *data, size_t size, size_t count, void *arg)
{
    return fwrite(data, size, count, arg) * size;
}

json_t *bot_api_control(const struct bot_api *api, const char *path, const char *body)
{
    char url[256];
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    CURL *easy = curl_easy_init();
    json_t *answer;

    (void)snprintf(url, sizeof url, "%s/__control/%s", api->url, path); /* fits */
    if (out == NULL || easy == NULL ||
        curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 90000L) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, add_data) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, out) != CURLE_OK)
        die("out of memory");
    if (body != NULL && curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) != CURLE_OK)
        die("out of memory");
    if (curl_easy_perform(easy) != CURLE_OK || fclose(out) != 0)
        die("a control request failed");
    curl_easy_cleanup(easy);
    answer = json_loadb(text, len, 0, NULL);
    free(text);
    if (answer == NULL || json_object_get(answer, "error") != NULL)
        die("a control request was refused");
    return answer;
}

void bot_api_rule(const struct bot_api *api, const char *rule)
{
    json_decref(bot_api_control(api, "rules", rule));
}

void bot_api_reset(const struct bot_api *api)
{
    json_decref(bot_api_control(api, "reset", ""));
}

json_t *bot_api_calls(const struct bot_api *api, unsigned min)
{
    char path[64];
    json_t *answer;
    json_t *calls;

    (void)snprintf(path, sizeof path, "calls?min=%u&timeout=60000", min); /* fits */
    answer = bot_api_control(api, path, NULL);
    calls = json_incref(json_object_get(answer, "calls"));
    json_decref(answer);
    if (json_array_size(calls) < min)
        die("fewer calls came than expected");
    return calls;
}
