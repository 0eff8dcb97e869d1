/* SPDX-License-Identifier: BSD-3-Clause */
#include "front/limits.h"

#include "net/forwarded.h"

#define CLOSING_MAX   256 /* that are being closed */
#define OWN_FILES     64  /* for the daemon: its socket, database, keys; at most one in 16 */
#define CLIENTS_FILES 256 /* for known clients and reserved requests; at most one in 8 */

enum files_left limits_files_left(const struct front *f, int fd)
{
    unsigned own = f->files / 16 < OWN_FILES ? f->files / 16 : OWN_FILES;
    unsigned clients = f->files / 8 < CLIENTS_FILES ? f->files / 8 : CLIENTS_FILES;
    unsigned number = (unsigned)fd;

    if (number >= f->files - own / 2)
        return FILES_NONE;
    return number >= f->files - own ? FILES_LAST : number >= f->files - own - clients ? FILES_FEW : FILES_MANY;
}

bool limits_may_accept(struct front *f)
{
    pthread_mutex_lock(&f->lock);
    bool may = f->counts[0] < f->max + CLOSING_MAX / 2 && f->counts[1] < f->max + CLOSING_MAX / 2;
    pthread_mutex_unlock(&f->lock);
    return may;
}

enum head_place limits_enter_head(struct front *f, const struct addr *from, bool known)
{
    size_t len = addr_source_len(from);
    bool many = addr_is_loopback(from) || forwarded_is_trusted(&f->o.trusted_proxies, from);
    enum head_place place = HEAD_NO_PLACE;

    pthread_mutex_lock(&f->lock);
    uintptr_t n = (uintptr_t)map_get(&f->by_address, from->bytes, len);
    if (f->counts[known] < f->max + CLOSING_MAX && (many || n < f->max / 4)) {
        place = f->counts[known] < f->max ? HEAD_PLACE : HEAD_PLACE_OF;
        f->counts[known]++;
        map_put(&f->by_address, from->bytes, len, (void *)(n + 1));
    }
    pthread_mutex_unlock(&f->lock);
    return place;
}

void limits_leave_head(struct front *f, const struct addr *from, bool known)
{
    size_t len = addr_source_len(from);

    pthread_mutex_lock(&f->lock);
    uintptr_t n = (uintptr_t)map_get(&f->by_address, from->bytes, len);
    f->counts[known]--;
    if (n > 1)
        map_put(&f->by_address, from->bytes, len, (void *)(n - 1));
    else
        map_del(&f->by_address, from->bytes, len);
    pthread_mutex_unlock(&f->lock);
}
