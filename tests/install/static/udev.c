/* Stands in for libudev.a, which Debian does not have; hwloc works without it. */
#define NOTHING(name)     \
    void *name(void);     \
    void *name(void)      \
    {                     \
        return (void *)0; \
    }
NOTHING(udev_new)
NOTHING(udev_unref)
NOTHING(udev_device_new_from_subsystem_sysname)
NOTHING(udev_device_unref)
NOTHING(udev_device_get_property_value)
