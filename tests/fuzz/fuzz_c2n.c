/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients answer to questions: a raw response, and the health in it. What is taken keeps to its bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "control/c2n/answer.h"
#include "control/control.h"
#include "health/client_health.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct node_warnings found = {0};
    struct control_answer answer;
    struct err e;

    c2n_answer_read((const char *)data, size, &answer);
    if (answer.len > size || (answer.code == 0 && (answer.status < 100 || answer.status > 999)))
        abort();
    if (client_health_read(answer.body, answer.len, &found, &e) == 0) {
        if (found.len > WARNINGS_MAX)
            abort();
        for (size_t i = 0; i < found.len; i++)
            if (!*found.items[i].code || strlen(found.items[i].code) > WARNING_CODE_MAX ||
                strlen(found.items[i].text) > WARNING_TEXT_MAX ||
                !str_utf8(found.items[i].text, strlen(found.items[i].text)))
                abort();
    }
    node_warnings_release(&found);
    return 0;
}
