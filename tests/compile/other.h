/* The second translation unit of compile.t: an async function seen across files. */
struct far { ax_frame frame; int n, twice; };
#ifdef __cplusplus
extern "C" {
#endif
AX_EXTERN(far);
#ifdef __cplusplus
}
#endif
