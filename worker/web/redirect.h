/* What becomes of a request that is answered with a redirect, as browsers' fetch() has
 * it, and stricter in what crosses hosts. Pure; any thread.
 * worker/workflow/spec/workflow.md §5.3.4 */
#ifndef WORKER_WEB_REDIRECT_H
#define WORKER_WEB_REDIRECT_H

#include <stdbool.h>

#include <curl/curl.h>

/* Same scheme, host and port, or the same host's http on its usual port turned into
 * https. Only there do all headers go along, and the user and password of the URL. */
bool web_redirect_same_place(const char *from, const char *to);
/* The method to go on with: GET after 303, and after 301 and 302 to a POST; static or
 * `method` itself. */
const char *web_redirect_method(const char *method, long status);
/* Takes out of the list what is not a plain standard header: keys, cookies and whatever
 * else was meant for the first host alone; with `body` false, what speaks of the body,
 * too. The list that is left. */
struct curl_slist *web_redirect_headers(struct curl_slist *headers, bool elsewhere,
                                        bool body);
/* New, the caller's to free(): the URL without user and password; NULL: no memory, or no
 * URL. */
char *web_redirect_bare(const char *url);

#endif
