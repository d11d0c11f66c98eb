/* A plug-in: linked with a static para, which is nobody else's business. */
#include "../parent/own.c"
