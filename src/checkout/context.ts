/** What every file of a checkout needs to know, and the count of what was done. */
import type { Checksum } from '../core/index.ts';
import type { Repo } from '../repo/index.ts';
import type { LabelFor, PlainOwner } from './inode.ts';
import type { Settings } from './settings.ts';
import type { ObjectSource } from './sources.ts';

/** What has been done so far. */
export interface Tally {
  files: number;
  dirs: number;
  linked: number;
  copiedBytes: number;
}

export interface PlaceContext {
  readonly repo: Repo;
  readonly settings: Settings;
  readonly sources: readonly ObjectSource[];
  readonly labelFor: LabelFor | undefined;
  readonly tally: Tally;
  readonly plainOwner: PlainOwner | undefined;
  /** Empty files met so far that need nothing but a mode, and their modes (see empty-file.ts). */
  readonly emptyFiles: Map<Checksum, number>;
}

export const noTally = (): Tally => ({ files: 0, dirs: 0, linked: 0, copiedBytes: 0 });
