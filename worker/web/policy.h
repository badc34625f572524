/* Where requests that authors of workflows ask for may go: not into the network the
 * worker stands in. worker/workflow/spec/workflow.md §5.3.4. Pure; any thread. */
#ifndef WORKER_WEB_POLICY_H
#define WORKER_WEB_POLICY_H

#include <stdbool.h>
#include <sys/socket.h>

#include <bulwark/api.h>
#include <bulwark/error.h>

#define WEB_URL_MAX 2048 /* bytes */

/* Only public addresses: no loopback, private, link-local, unspecified, multicast or
 * reserved ones, nor such inside of an IPv6 address that carries an IPv4 one. */
bool web_policy_address_ok(const struct sockaddr *address);

/* Checks form, scheme, length and allow-list (`domains`: separated by commas, each with
 * its subdomains; NULL or "": all), and a host that is an address unless `any_address`.
 * `*urlp` is the URL to use, "http://" added where no scheme was given: new, the caller's
 * to free(). BW_EINVAL with the reason alone; BW_ENOMEM. */
BW_MUSTCHECK int web_policy_url(const char *url, const char *domains, bool any_address,
                                char **urlp, struct bw_error *err);

#endif
