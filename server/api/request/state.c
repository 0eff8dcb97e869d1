/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration in force. */
#include "api/request/state.h"

const struct config *api_config(struct api *api)
{
    pthread_mutex_lock(&api->lock);
    const struct config *c = config_ref(api->config);
    pthread_mutex_unlock(&api->lock);
    return c;
}
