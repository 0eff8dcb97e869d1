#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# limit: 180
# 6,000 random policies and tailnets against the independent model, and the properties of all policies, 4,500 times.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=build/${VARIANT_RUN:-release}/tests/unit/policy
programs=("$bin"/test_policy_random "$bin"/test_policy_random_answers "$bin"/test_policy_properties)
make -s VARIANT="${VARIANT_RUN:-release}" "${programs[@]}"
for program in "${programs[@]}"; do
  SOAK=1 "$program" || exit 1
done
