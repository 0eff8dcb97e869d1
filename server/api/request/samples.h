/* SPDX-License-Identifier: BSD-3-Clause */
/* The last hour: a sample per minute, in a ring. */
#ifndef SERVER_API_REQUEST_SAMPLES_H
#define SERVER_API_REQUEST_SAMPLES_H

#include "api/request/endpoint.h"
#include "model/api_past.h"

#define SAMPLE_SECONDS 60
#define SAMPLES_KEPT   60

struct sampler;

int samples_start(struct api *api, struct sampler **out, struct err *e) WARN_UNUSED;
void samples_stop(struct sampler *s);
/* Copies the samples, oldest first; returns how many. */
size_t samples_copy(struct sampler *s, struct api_sample out[SAMPLES_KEPT]);

#endif
