/* A customer's variables of the partner programme (Appendix A.1). Pure; any thread. */
#ifndef WORKFLOW_CUSTOMER_PARTNER_H
#define WORKFLOW_CUSTOMER_PARTNER_H

#include <jansson.h>

/* Into the flat variables, from the row of the statement `customer`. */
void wf_customer_partner(json_t *flat, const json_t *row);

#endif
