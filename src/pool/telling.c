#include "pool/telling.h"

#include "base/signal_fd.h"

PARA__THREAD_LOCAL para__telling para__told;

para__bucket *para__watches_lock(void)
{
    static const char key;
    return para__bucket_lock(&key);
}

para__bucket *para__watch_tell(para__bucket *bucket, para_watch *watch)
{
    const int fd = watch->fd_;
    watch->told_++;
    para__bucket_unlock(bucket);
    para__told.watch = watch;
    if (fd)
        para__signal_fd_tell(fd - 1);
    if (watch->changed)
        watch->changed(watch);
    para__told.watch = NULL;
    bucket = para__watches_lock();
    watch->told_--;
    return bucket;
}

void para__watches_tell_all(para_pool *pool)
{
    if (para__told.watch) {
        para__told.again = true;
        return;
    }
    do {
        para__told.again = false;
        para__bucket *bucket = para__watches_lock();
        for (para_watch *watch = para__watches_of(pool); watch; watch = watch->next_)
            bucket = para__watch_tell(bucket, watch);
        para__bucket_unlock(bucket);
    } while (para__told.again);
}
