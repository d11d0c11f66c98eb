#include "base/info.h"

#include <string.h>

para_status para__info_fill(void *info, const void *full, size_t full_bytes)
{
    size_t bytes = 0;
    if (info)
        memcpy(&bytes, info, sizeof bytes);
    if (!info)
        return para__fail(PARA_ERR_ARGUMENT, "info is NULL");
    if (bytes <= sizeof bytes || bytes > full_bytes)
        return para__fail(PARA_ERR_ARGUMENT, "info.size is %zu: set it to the structure's size",
                          bytes);
    memcpy((char *)info + sizeof bytes, (const char *)full + sizeof bytes, bytes - sizeof bytes);
    return PARA_OK;
}
