/* A library whose constructor calls the program. */
extern void loading_hook(void);

__attribute__((constructor)) static void call_the_program(void)
{
    loading_hook();
}
