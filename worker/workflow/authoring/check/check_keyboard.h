/* A message node's keyboard. */
#ifndef WORKFLOW_AUTHORING_CHECK_CHECK_KEYBOARD_H
#define WORKFLOW_AUTHORING_CHECK_CHECK_KEYBOARD_H

#include "workflow/authoring/check/site.h"

void wf_check_keyboard(const struct wf_site *site);

#endif
