/**
 * Bootloader: boot menus, kernel arguments, kernels of trees, the extra initramfs.
 *
 * How a deployment uses it:
 *
 *     const loader = openBootloader('/');                      // grub, systemd-boot; 'none' by name
 *     const { kernel, initrd, version } = findKernel(tree);    // in the new root
 *     ... copy kernel, initrd and buildOverlay() below loader.bootDir (hacktree/CHECKSUM/...), each file durable ...
 *     const before = loader.read();
 *     const after = { ...before, entries: [entry, ...before.entries], defaultId: entry.id,
 *                     previousId: before.defaultId, triesLeft: loader.countsBoots ? 3 : undefined, fellBackId: undefined };
 *     const plan = loader.plan(after, { settleAlso: [newRoot] });   // steps as data; nothing is written
 *     await applyBootPlan(plan);                               // or applyBootStep, one by one
 *     loader.verify(after, digests);                           // findings; empty when the entry will boot
 *     ... only now remove kernels and roots that no entry names any more ...
 *
 * An entry's `arguments` are `baseArguments(...)` with the layers of `mergeKargLayers` on top. `rollback` is a plan with another
 * `defaultId` and no tries: one write in place, which needs no space. Entries come in as data: this folder knows nothing
 * of commits or deployments, only the name under which a root is known to its own initramfs.
 */
export { type BaseArgumentsOptions, baseArguments } from './base-arguments.ts';
export { detectBootloaders, openBootloader } from './detect.ts';
export { editKargs, joinKargs, type Karg, type KargEdit, type KargLayer, kargKey, mergeKargLayers, splitKargs } from './kargs.ts';
export { findKernel, type TreeKernel, type TreeReader } from './kernel.ts';
export { EMPTY_MENU, isEntryId } from './menu.ts';
export { buildOverlay, OVERLAY_ARGUMENT } from './overlay.ts';
export { applyBootPlan, applyBootStep } from './steps.ts';
export * from './types.ts';
