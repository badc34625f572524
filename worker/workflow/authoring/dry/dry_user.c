#include "workflow/authoring/dry/dry_user.h"

#include "workflow/base/mem.h"

json_t *dry_user_json(const json_t *row)
{
    static const char *const members[] = {
        "id",           "projectId",    "email",        "phone",
        "firstName",    "lastName",     "birthDate",    "telegramUsername",
        "maxUsername",  "isActive",     "registeredAt", "updatedAt",
        "currentLevel", "referralCode", "referredBy",   "totalPurchases",
        "utmCampaign",  "utmContent",   "utmMedium",    "utmSource",
        "utmTerm"
    };
    static const char *const messengers[] = { "telegramId", "maxId" };
    json_t *user = wf_must(json_object());

    for (size_t i = 0; i < sizeof(messengers) / sizeof(messengers[0]); i++) {
        if (wf_member(row, messengers[i], NULL) != NULL)
            wf_json_set_text(user, messengers[i], wf_member(row, messengers[i], ""));
    }
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        json_t *value = json_object_get(row, members[i]);

        wf_json_set(user, members[i], value != NULL ? json_incref(value) : json_null());
    }
    return user;
}
