/** Parts of Node that take milliseconds to load and that many commands never need, loaded when first asked for. */

let crypto: typeof import('node:crypto') | undefined;

/** node:crypto (4 ms). */
export function nodeCrypto(): typeof import('node:crypto') {
  crypto ??= process.getBuiltinModule('node:crypto');
  return crypto;
}

/** Random bytes, for names: 2 hex digits each. */
export function randomHex(bytes: number): string {
  return nodeCrypto().randomBytes(bytes).toString('hex');
}

/** Milliseconds on a clock that never goes back; `performance` would load node:perf_hooks (1.5 ms). */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
