/**
 * The kernel arguments that a deployed root's entry needs whatever the tree and the user say.
 */
import { kargKey } from './kargs.ts';
import { OVERLAY_ARGUMENT } from './overlay.ts';

export interface BaseArgumentsOptions {
  /** Name of the root, `root-3.2`. */
  readonly root: string;
  /** The host's command line: says where the root file system and the console are. */
  readonly hostArguments: readonly string[];
  /** Seconds after which a kernel panic or a failed initramfs restarts the machine. Default 10. */
  readonly panicSec?: number;
}

/** Arguments that belong to the host's root or init, not to the machine. */
const HOST_ONLY = new Set([
  'init',
  'boot',
  'hacktree',
  'ostree',
  'panic',
  'ro',
  'rw',
  'rd.emergency',
  'rd.shell',
  'systemd.crash_reboot',
  'systemd.gpt_auto',
]);

/**
 * Arguments for a deployed root: the host's, then hacktree's own. A failure restarts the machine instead of waiting at a
 * prompt, or nothing would ever fall back: the kernel's (panic), that of an initramfs, and that of systemd, which freezes when
 * it dies or, in dracut's initramfs, cannot start the tree's init. systemd must not mount partitions by their type over what
 * was prepared.
 *
 * Source: systemd(1), kernel command line; dracut.cmdline(7).
 */
export function baseArguments({ root, hostArguments, panicSec = 10 }: BaseArgumentsOptions): string[] {
  return [
    ...hostArguments.filter((argument) => !HOST_ONLY.has(kargKey(argument))),
    'ro',
    `hacktree=/gnomeos/${root}`,
    OVERLAY_ARGUMENT,
    `panic=${panicSec}`,
    'rd.emergency=reboot',
    'rd.shell=0',
    'systemd.crash_reboot=1',
    'systemd.gpt_auto=0',
  ];
}
