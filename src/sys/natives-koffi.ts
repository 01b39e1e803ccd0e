/** The door to koffi, loaded on first use (8 ms). */

/** Loads koffi. Errors: Node's own (MODULE_NOT_FOUND and the like) where the package or its binary is missing. */
export function loadKoffi(): typeof import('koffi') {
  return process.getBuiltinModule('node:module').createRequire(import.meta.url)('koffi');
}
