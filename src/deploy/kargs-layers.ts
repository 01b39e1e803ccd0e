/**
 * Kernel arguments of a root's entry: the host's, what hacktree needs, the tree's, the machine's edits, and for one boot only
 * the one-shot ones. Each argument says where it came from.
 */
import { baseArguments, type Karg, type KargEdit, mergeKargLayers } from '../bootloader/index.ts';
import { HacktreeError } from '../core/index.ts';

export interface KargRequest {
  readonly root: string;
  readonly hostArguments: readonly string[];
  /** Lines of the tree's kargs.d. */
  readonly tree: readonly string[];
  readonly machine: readonly KargEdit[];
  readonly oneShot?: readonly KargEdit[];
}

/** Origins: `host`, `hacktree`, `tree`, `machine`, `once`. Errors: `karg-invalid`, also when the root could not be found without it. */
export function entryKargs({ root, hostArguments, tree, machine, oneShot }: KargRequest): Karg[] {
  const appended = (words: readonly string[]): KargEdit[] => words.map((argument) => ({ op: 'append', argument }));
  const own = baseArguments({ root, hostArguments: [] });
  const host = baseArguments({ root, hostArguments }).slice(0, -own.length);
  const kargs = mergeKargLayers([
    { origin: 'host', edits: appended(host) },
    { origin: 'hacktree', edits: appended(own) },
    { origin: 'tree', edits: tree.map((argument) => ({ op: 'append-if-missing', argument })) },
    { origin: 'machine', edits: machine },
    { origin: 'once', edits: oneShot ?? [] },
  ]);
  requireOwn(kargs, own);
  return kargs;
}

/** Without these the initramfs does not find the root. */
const NEEDED = /^(hacktree|boot)=/;

function requireOwn(kargs: readonly Karg[], own: readonly string[]): void {
  const missing = own.find((word) => NEEDED.test(word) && !kargs.some(({ argument }) => argument === word));
  if (missing === undefined) return;
  throw new HacktreeError('karg-invalid', `The root could not be booted without the kernel argument ${missing}`, {
    details: { expected: missing },
  });
}
