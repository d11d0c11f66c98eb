#include "base/info.h"

#include <string.h>

para_status para__info_fill(void *info, const void *full, size_t full_bytes)
{
    size_t bytes = 0;
    if (info)
        memcpy(&bytes, info, sizeof bytes);
    if (bytes <= sizeof bytes || bytes > full_bytes)
        return para__fail(PARA_ERR_ARGUMENT, "info is NULL, or its size is not set");
    memcpy((char *)info + sizeof bytes, (const char *)full + sizeof bytes, bytes - sizeof bytes);
    return PARA_OK;
}
