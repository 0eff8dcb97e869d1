/* SPDX-License-Identifier: BSD-3-Clause */
/* What HTTP statuses of the API mean. */
#ifndef COMMON_CLIENT_STATUS_H
#define COMMON_CLIENT_STATUS_H

int status_code(long status); /* enum err_code; for one of 400 and above */

#endif
