/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine-readable description of the API (OpenAPI 3.0), from the tables of calls and shapes. */
#ifndef SERVER_API_PAGES_OPENAPI_H
#define SERVER_API_PAGES_OPENAPI_H

#include "api/request/endpoint.h"

api_handler openapi_json, openapi_yaml;

#endif
