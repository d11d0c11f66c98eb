#!/bin/sh
# statuses.sh INCLUDE_DIR: the public functions whose status need not be looked at are these and no others.
found=$(sed -n 's/^\(PARA_API\|static inline\) para_status \(para_[a-z0-9_]*[a-z0-9]\)(.*/\2/p' "$1"/para/*.h | sort)
expected='para_mutex_lock
para_mutex_unlock
para_mutex_unlock_at
para_mutex_unlock_slow
para_pool_destroy
para_semaphore_fini
para_semaphore_release
para_semaphore_release_slow
para_shared_mutex_fini
para_shared_mutex_unlock
para_watch_end'
[ "$found" = "$expected" ] && exit 0
printf 'without the attribute:\n%s\n' "$found"
exit 1
