/* SPDX-License-Identifier: BSD-3-Clause */
/* The meaning of HTTP statuses of the API. */
#ifndef COMMON_CLIENT_STATUS_H
#define COMMON_CLIENT_STATUS_H

int status_code(long status); /* enum err_code for a status of 400 or more */

#endif
