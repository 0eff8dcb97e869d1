/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/status.h"

#include "base/array.h"
#include "base/err.h"

int status_code(long status)
{
    static const struct {
        long status;
        int code;
    } codes[] = {
        {400, ERR_INVALID},     {401, ERR_UNAUTHENTICATED}, {403, ERR_DENIED}, {404, ERR_MISSING}, {409, ERR_CONFLICT},
        {410, ERR_GONE},        {412, ERR_PRECONDITION},    {413, ERR_TOOBIG}, {422, ERR_INVALID}, {429, ERR_BUSY},
        {501, ERR_UNSUPPORTED}, {503, ERR_UNAVAILABLE},     {504, ERR_TIMEOUT}};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (codes[i].status == status)
            return codes[i].code;
    return status >= 500 ? ERR_INTERNAL : ERR_INVALID;
}
