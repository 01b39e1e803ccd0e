/**
 * Kernel arguments of a root's entry: what the machine and hacktree need, the tree's, the machine's edits, and for one
 * boot only the one-shot ones. Each argument says where it came from.
 */
import { baseArguments, type Karg, type KargEdit, mergeKargLayers } from '../bootloader/index.ts';

export interface KargRequest {
  readonly root: string;
  readonly hostArguments: readonly string[];
  /** Lines of the tree's kargs.d. */
  readonly tree: readonly string[];
  readonly machine: readonly KargEdit[];
  readonly oneShot?: readonly KargEdit[];
}

/** Origins: `host`, `tree`, `machine`, `once`. Errors: `karg-invalid`. */
export function entryKargs({ root, hostArguments, tree, machine, oneShot }: KargRequest): Karg[] {
  const appended = (words: readonly string[]): KargEdit[] => words.map((argument) => ({ op: 'append', argument }));
  return mergeKargLayers([
    { origin: 'host', edits: appended(baseArguments({ root, hostArguments })) },
    { origin: 'tree', edits: tree.map((argument) => ({ op: 'append-if-missing', argument })) },
    { origin: 'machine', edits: machine },
    { origin: 'once', edits: oneShot ?? [] },
  ]);
}
