/**
 * What a commit changes in the metadata of the files it takes: owners, modes, xattrs, paths left out.
 *
 * The part that workers need (FileModifiers) is plain data; overrides by path stay with the scanner, which knows paths.
 * Order: owner, id map, canonical permissions, statoverride, read-only executables.
 *
 * Source: ostree-cli A.1, `commit`.
 */
import { HacktreeError } from '../../core/index.ts';
import { isRegularMode, isSymlinkMode, NO_XATTRS, S_IFMT, type Xattrs } from '../../format/index.ts';
import { withLabel } from './labels.ts';

export interface IdMap {
  readonly uids: ReadonlyMap<number, number>;
  readonly gids: ReadonlyMap<number, number>;
}

/** A line of a statoverride file: bits to add, or the whole mode to set. */
export interface ModeOverride {
  readonly kind: 'add' | 'set';
  readonly mode: number;
}

/** Modifiers that depend on a file alone; plain data. */
export interface FileModifiers {
  readonly ownerUid?: number;
  readonly ownerGid?: number;
  readonly canonicalPermissions?: boolean;
  readonly readOnlyExecutables?: boolean;
  readonly noXattrs?: boolean;
  readonly idMap?: IdMap;
  /** Root directory whose SELinux policy labels everything. */
  readonly selinuxPolicy?: string;
}

/** All modifiers of a commit. */
export interface Modifiers extends FileModifiers {
  readonly overrides: ReadonlyMap<string, ModeOverride>;
  readonly skip: ReadonlySet<string>;
}

export interface InodeFields {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly xattrs: Xattrs;
}

/** Tells whether metadata of the tree is taken as it is. */
export function isIdentity(modifiers: Modifiers): boolean {
  const { ownerUid, ownerGid, canonicalPermissions, readOnlyExecutables, noXattrs, idMap, selinuxPolicy, overrides, skip } =
    modifiers;
  const plain = ownerUid === undefined && ownerGid === undefined && idMap === undefined && selinuxPolicy === undefined;
  return plain && !canonicalPermissions && !readOnlyExecutables && !noXattrs && overrides.size === 0 && skip.size === 0;
}

/** What applies to one path alone. */
export interface ModifierChoice {
  readonly override?: ModeOverride | undefined;
  /** SELinux label. */
  readonly label?: string | undefined;
}

/** Applies the modifiers to one file's or directory's metadata. */
export function modifyInode<T extends InodeFields>(inode: T, modifiers: FileModifiers, choice: ModifierChoice = {}): T {
  const { override, label } = choice;
  let { uid, gid, mode } = inode;
  uid = modifiers.ownerUid ?? modifiers.idMap?.uids.get(uid) ?? uid;
  gid = modifiers.ownerGid ?? modifiers.idMap?.gids.get(gid) ?? gid;
  if (modifiers.canonicalPermissions === true) {
    uid = 0;
    gid = 0;
    if (!isSymlinkMode(mode)) mode = (mode & S_IFMT) | (mode & 0o755);
  }
  if (override !== undefined) {
    mode = override.kind === 'add' ? mode | override.mode : (mode & S_IFMT) | (override.mode & 0o7777);
  }
  if (modifiers.readOnlyExecutables === true && isRegularMode(mode) && (mode & 0o111) !== 0) mode &= ~0o222;
  const xattrs = modifiers.noXattrs === true || modifiers.canonicalPermissions === true ? NO_XATTRS : inode.xattrs;
  return { ...inode, uid, gid, mode, xattrs: withLabel(xattrs, label) };
}

/** Parses a statoverride file: lines `+MODE PATH` or `=MODE PATH`, MODE decimal. Errors: `usage`. */
export function parseStatOverrides(text: string, path: string): Map<string, ModeOverride> {
  const overrides = new Map<string, ModeOverride>();
  text.split('\n').forEach((line, i) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const match = /^([+=])(\d+) (.+)$/.exec(line);
    if (match?.[3] === undefined) {
      throw new HacktreeError(
        'usage',
        `Malformed StatOverride file: ${path}, line ${i + 1}, expected +MODE PATH or =MODE PATH, found '${line}'`,
        {
          details: { path, expected: '+MODE PATH or =MODE PATH, MODE decimal', found: line },
        },
      );
    }
    overrides.set(match[3], { kind: match[1] === '+' ? 'add' : 'set', mode: Number(match[2]) });
  });
  return overrides;
}

/** Parses a skip list: absolute paths in the tree, one a line. */
export function parseSkipList(text: string): Set<string> {
  return new Set(text.split('\n').filter((line) => line !== ''));
}

/** Parses an id map: lines `uid OLD NEW` or `gid OLD NEW`, `#` comments. Errors: `usage`. */
export function parseIdMap(text: string, path: string): IdMap {
  const uids = new Map<number, number>();
  const gids = new Map<number, number>();
  text.split('\n').forEach((line, i) => {
    const trimmed = line.replace(/#.*/, '').trim();
    if (trimmed === '') return;
    const match = /^(uid|gid)\s+(\d+)\s+(\d+)$/.exec(trimmed);
    if (match === null) {
      throw new HacktreeError(
        'usage',
        `Invalid id map: ${path}, line ${i + 1}, expected 'uid OLD NEW' or 'gid OLD NEW', found '${line}'`,
        {
          details: { path, expected: 'uid OLD NEW or gid OLD NEW', found: line },
        },
      );
    }
    (match[1] === 'uid' ? uids : gids).set(Number(match[2]), Number(match[3]));
  });
  return { uids, gids };
}
