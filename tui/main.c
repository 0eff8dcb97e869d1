/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>

#include "base/file.h"
#include "cli/cli.h"
#include "console/console.h"

int main(int argc, char **argv)
{
    file_hold_standard();
    return cli_main(argc, argv, console_main);
}
