/* A table of names for models, with one name. */
#ifndef MODEL_NAMES_H
#define MODEL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Before the threads of a model start. */
void names_make(void);

/* Memory for a node of the table; NULL: it is none. */
void *names_alloc(size_t bytes);

bool names_register(void);
bool names_enter(void); /* and looks at what is registered */
void names_leave(void); /* likewise */
bool names_close(void);
void names_await(void);   /* until nobody uses it, if it was ever registered */
void names_dispose(void); /* of what was registered */

#ifdef __cplusplus
}
#endif

#endif
