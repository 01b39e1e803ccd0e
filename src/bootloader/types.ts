/**
 * What a boot loader is to the rest of hacktree: a menu that can be read, planned, applied and verified.
 *
 * Entries come in as data; nothing here looks up a deployment. A plan is a list of plain steps, so that a caller can
 * show it, mix it with its own steps, and stop after any of them in a test.
 */
import type { ContentDigest } from '../core/index.ts';

/** Names the host system's own boot: valid wherever the id of an entry is. */
export const HOST_ID = 'host';

/** Most boot attempts that can be granted: GRUB's scripts cannot count, so the counter is one decimal digit. */
export const MAX_TRIES = 9;

export interface BootEntry {
  /** Stable name, usually that of the root (`root-3.2-opt`). Letters, digits and `._+~-`, not digits alone. */
  readonly id: string;
  /** Line in the menu. */
  readonly title: string;
  readonly version: string;
  /** Kernel, relative to the boot loader's `bootDir`, without `..`. */
  readonly kernel: string;
  /** Initial RAM disks in the order in which they are unpacked (the tree's own, then hacktree's), relative as `kernel`. */
  readonly initrds: readonly string[];
  /** The whole kernel command line, one argument each, in order. */
  readonly arguments: readonly string[];
}

export interface BootMenu {
  /** hacktree's entries, first in the menu first. The host's own are not among them and are never touched. */
  readonly entries: readonly BootEntry[];
  /** What boots by itself: an entry's id or HOST_ID. */
  readonly defaultId: string;
  /** What boots once the default has used up its tries: an entry's id or HOST_ID. */
  readonly previousId: string;
  /** Boots the default has left to prove itself, 0 to 9; undefined when it is not on trial. */
  readonly triesLeft: number | undefined;
  /** Booted once, at the next start only. */
  readonly oneShotId: string | undefined;
  /** The entry that used up its tries last, after which the boot loader made the previous one the default. */
  readonly fellBackId: string | undefined;
}

export type BootloaderName = 'grub' | 'systemd-boot' | 'none';

interface Named {
  /** What the step does, for people: one line. */
  readonly title: string;
}

/** One step of a plan: data alone. Paths are absolute. */
export type BootStep =
  | (Named & { readonly kind: 'make-dir'; readonly path: string })
  /** Writes a file that no boot loader reads yet (its name gets meaning by a later rename). */
  | (Named & { readonly kind: 'write-new'; readonly path: string; readonly text: string; readonly mode: number })
  /** Gives the file a second name, so that its inode lives until the swap is on the disk. Nothing if it is not there. */
  | (Named & { readonly kind: 'keep-old'; readonly path: string; readonly keep: string })
  /** Brings the file systems of these paths to a state that is readable without a journal. */
  | (Named & { readonly kind: 'settle'; readonly paths: readonly string[] })
  | (Named & { readonly kind: 'rename'; readonly from: string; readonly to: string })
  /** Sets (or with undefined unsets) variables of a GRUB environment block, in place. */
  | (Named & { readonly kind: 'set-grubenv'; readonly path: string; readonly set: Readonly<Record<string, string | undefined>> })
  | (Named & { readonly kind: 'set-efi-variable'; readonly path: string; readonly value: string | undefined })
  | (Named & { readonly kind: 'remove'; readonly path: string });

export interface BootPlan {
  readonly bootloader: BootloaderName;
  /** Empty when the disk says already what was asked for. */
  readonly steps: readonly BootStep[];
  /** Index of the first step that changes what the boot loader reads: up to it, stopping leaves the old menu as it was. */
  readonly visibleFrom: number;
}

export interface ApplyReport {
  /** File systems that should have been frozen and could not be: what GRUB reads there may lag behind a power cut. */
  readonly notFrozen: readonly string[];
}

/** Something the user should know about the boot loader or its disk; `code` is stable. */
export interface BootWarning {
  readonly code:
    | 'grubenv-not-writable'
    | 'file-system-unreadable'
    | 'file-system-doubtful'
    | 'custom-cfg-not-sourced'
    | 'boot-counting-off';
  readonly message: string;
  /** What follows from it for the user. */
  readonly consequence: string;
}

/** One thing wrong with the menu on the disk. */
export interface MenuFinding {
  readonly entryId: string | undefined;
  readonly path: string;
  readonly problem: string;
}

/** Expected SHA-256 of files, by path relative to `bootDir`. */
export type ExpectedDigests = ReadonlyMap<string, ContentDigest>;

/** SHA-256 that files were found to have, by absolute path. */
export type FoundDigests = ReadonlyMap<string, string>;

export interface PlanOptions {
  /** Paths on further file systems whose content must be on the disk before the menu names it (the new root). */
  readonly settleAlso?: readonly string[];
}

export interface Bootloader {
  readonly name: BootloaderName;
  /** Absolute path of the directory that kernels and initial RAM disks must be below; GRUB: `/boot`, else the ESP. */
  readonly bootDir: string;
  /** The host's own kernel command line, as its boot configuration has it: `root=`, `console=` and so on. */
  readonly hostArguments: readonly string[];
  /** True when the boot loader can count boot attempts down by itself, so that a trial makes sense. */
  readonly countsBoots: boolean;

  /** Reads the menu from the disk. A disk without hacktree's menu has no entries and HOST_ID as default. */
  read(): BootMenu;
  /**
   * Says how to get from the disk's menu to this one. Errors: `boot-menu-invalid` for ids that are not listed, names
   * or arguments the boot loader cannot express, tries out of range or where boots are not counted.
   */
  plan(menu: BootMenu, options?: PlanOptions): BootPlan;
  /**
   * Checks that the disk's menu is this one and that every file it names is there, with the digest given. Reads all, but for
   * those that were hashed just now.
   */
  verify(menu: BootMenu, digests: ExpectedDigests, hashed?: FoundDigests): MenuFinding[];
  /** Looks for known obstacles. Never changes anything. */
  warnings(): BootWarning[];
}
