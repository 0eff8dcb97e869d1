#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Has the official clients ready before the first test that needs them: building them takes minutes, once.
for version in 1.102.3 1.98.9 1.86.2 1.80.3; do
  "$(dirname "$0")/clients.sh" "$version" || exit
done
