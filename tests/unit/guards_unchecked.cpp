/* The classes of a file without PARA_CHECK_LOCKS, to be linked with one that has it. */
#include <para/para.h>
#include <typeinfo>

const std::type_info &unchecked_mutex();
const std::type_info &unchecked_guard();

const std::type_info &unchecked_mutex()
{
    return typeid(para::mutex);
}

const std::type_info &unchecked_guard()
{
    return typeid(para::mutex_guard);
}
