/* Parameters of named queries. */
#ifndef WORKFLOW_AUTHORING_CHECK_CHECK_PARAMETERS_H
#define WORKFLOW_AUTHORING_CHECK_CHECK_PARAMETERS_H

#include "workflow/authoring/check/value_check.h"

wf_value_check wf_check_parameters; /* of the query that the config names */

#endif
