/* SPDX-License-Identifier: BSD-3-Clause */
/* What a key costs in the policy view with a policy of 1 MB, its screen included: processor time, the worst of some. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/array.h"
#include "base/mem.h"
#include "console/policy/policy_page.h"
#include "shared/console_rig.h"

static void answer(struct rig *r, const char *policy)
{
    struct buf b = BUF_INIT(0);
    struct json_out o = JSON_OUT(&b);

    json_open(&o, '{');
    json_put_str(&o, "policy", policy);
    json_put_u64(&o, "version", 41);
    json_put_str(&o, "mode", "database");
    json_close(&o, '}');
    rig_answer(r, rig_last(r), 200, b.data);
    buf_release(&b);
}

static double cpu_ms(void)
{
    struct rusage u;

    getrusage(RUSAGE_THREAD, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

/* The worst key of some in a text of 1 MB, its screen included; the check is the thread's. Processor time, for a
 * machine that does other things. */
static double worst_key(const char *text)
{
    static const char *const keys[] = {"e", "<Ctrl-End>", "x", "<Ctrl-Home>", "/", "*", "<Enter>", "<PgDn>", "<End>",
                                       "<Backspace>", "<Down>", "<Ctrl-Z>", "<Tab>", "<Ctrl-Left>",
                                       /* Names for a place at the end, and the bracket that closes all. */
                                       "<Ctrl-End>", "\"", "<Ctrl-Space>", "<Ctrl-Home>", "<Ctrl-]>"};
    struct checker *checker = checker_start();
    struct rig r;
    double worst = 0;

    rig_init(&r, 0);
    policy_page_set_checker(&r.app, checker);
    rig_keys(&r, "4");
    answer(&r, text);
    rig_draw(&r, 50, 160);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        double before = cpu_ms();

        rig_pass(&r, 200); /* the clock of the checks rings each time */
        rig_keys(&r, keys[i]);
        rig_draw(&r, 50, 160);
        double took = cpu_ms() - before;
        worst = took > worst ? took : worst;
    }
    rig_release(&r);
    checker_stop(checker);
    return worst;
}

#define RULES 5500

/* As many groups as rules, and one more rule that is being typed. */
static void make_rules(struct buf *out)
{
    buf_adds(out, "{\n  \"groups\": {\n");
    for (int i = 0; i < RULES; i++)
        buf_addf(out, "    \"group:team-%d\": [\"user%d@example.com\"],\n", i, i);
    buf_adds(out, "  },\n  \"acls\": [\n");
    for (int i = 0; i < RULES; i++)
        buf_addf(out, "    {\"action\": \"accept\", \"src\": [\"group:team-%d\"], \"dst\": [\"10.%d.%d.0/24:443\"]},\n",
                 i, i / 250, i % 250);
    buf_adds(out, "    {\"action\": \"accept\", \"src\": [");
}

int main(void)
{
    struct buf lines = BUF_INIT(0), one = BUF_INIT(0), rules = BUF_INIT(0);

    while (lines.len < 1000000)
        buf_addf(&lines, "    {\"action\": \"accept\", \"src\": [\"group:g%zu\"], \"dst\": [\"tag:db:5432\"]},\n",
                 lines.len);
    while (one.len < 1000000)
        buf_addf(&one, "{\"src\": [\"10.0.0.%zu\"]}, ", one.len % 250);
    printf("1 MB of policy, 160x50\n");
    printf("%-44s %.2f ms\n", "the slowest key in many lines", worst_key(lines.data));
    printf("%-44s %.2f ms\n", "the slowest key in one line", worst_key(one.data));
    make_rules(&rules);
    printf("%-44s %.2f ms\n", "the slowest key in a policy of 5,500 rules", worst_key(rules.data));
    buf_release(&lines);
    buf_release(&one);
    buf_release(&rules);
    return 0;
}
