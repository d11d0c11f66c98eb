/* A plug-in that is linked with a static para, which it keeps to itself. */
#include "../parent/own.c"
