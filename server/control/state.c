/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/state.h"

void control_begin(struct control *c)
{
    pthread_mutex_lock(&c->lock);
    c->outstanding++;
    pthread_mutex_unlock(&c->lock);
}

void control_end(struct control *c)
{
    pthread_mutex_lock(&c->lock);
    c->outstanding--;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

const struct config *control_config(struct control *c)
{
    pthread_mutex_lock(&c->lock);
    const struct config *config = config_ref(c->config);
    pthread_mutex_unlock(&c->lock);
    return config;
}
