#include "pool/telling.h"

#include "base/signal_fd.h"

PARA__THREAD_LOCAL para__telling *para__innermost_telling;

para__bucket *para__watches_lock(void)
{
    static const char key;
    return para__bucket_lock(&key);
}

para__bucket *para__watch_tell(para__bucket *bucket, para__telling *self, para_watch *watch)
{
    const int fd = watch->fd_;
    watch->told_++;
    para__bucket_unlock(bucket);
    self->watch = watch;
    self->outer = para__innermost_telling;
    para__innermost_telling = self;
    if (fd)
        para__signal_fd_tell(fd - 1);
    if (watch->changed)
        watch->changed(watch);
    para__innermost_telling = self->outer;
    bucket = para__watches_lock();
    watch->told_--;
    return bucket;
}

void para__watches_tell_all(para_pool *pool)
{
    for (para__telling *outer = para__innermost_telling; outer; outer = outer->outer)
        if (outer->pool == pool) {
            outer->again = true;
            return;
        }
    para__telling self = {.pool = pool};
    do {
        self.again = false;
        para__bucket *bucket = para__watches_lock();
        for (para_watch *watch = para__watches_of(pool); watch; watch = watch->next_)
            bucket = para__watch_tell(bucket, &self, watch);
        para__bucket_unlock(bucket);
    } while (self.again);
}
