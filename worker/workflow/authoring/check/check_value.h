/* Values by their kind. */
#ifndef WORKFLOW_AUTHORING_CHECK_CHECK_VALUE_H
#define WORKFLOW_AUTHORING_CHECK_CHECK_VALUE_H

#include "workflow/authoring/check/value_check.h"

wf_value_check wf_check_text;     /* text or a number, a template */
wf_value_check wf_check_literal;  /* text, no template */
wf_value_check wf_check_any;      /* any JSON, templates inside */
wf_value_check wf_check_object;   /* an object, templates inside */
wf_value_check wf_check_array;    /* an array, templates inside */
wf_value_check wf_check_number;   /* a number or a template; arg: "least most" */
wf_value_check wf_check_flag;     /* true or false */
wf_value_check wf_check_one_of;   /* arg: "a|b|c"; a template passes */
wf_value_check wf_check_method;   /* of HTTP */
wf_value_check wf_check_operator; /* of the simple form of conditions */
wf_value_check wf_check_pattern;  /* a regular expression */
wf_value_check wf_check_url;
wf_value_check wf_check_query;  /* a named query */
wf_value_check wf_check_target; /* a node's id */
wf_value_check wf_check_cron;
wf_value_check wf_check_zone;            /* a time zone */
wf_value_check wf_check_audience;        /* of a schedule trigger */
wf_value_check wf_check_cases;           /* of a switch */
wf_value_check wf_check_keyboard_member; /* nothing: wf_check_keyboard() does */

void wf_check_node_id(const struct wf_site *site, const char *field, const char *id);

#endif
