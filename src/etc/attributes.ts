/**
 * Owner, mode and extended attributes: reading, comparing, and merging of three sides one attribute at a time.
 *
 * A security label alone is no change by the user: the same file is labelled differently under /usr/etc and /etc by
 * policy. It still goes with the file wherever the user's is taken.
 *
 * **Source:** chown(2): a change of owner clears the set-user-ID bits, so the mode is set last.
 */
import * as fs from 'node:fs';
import { errnoOf } from '../core/index.ts';
import { removeXattr, setXattr } from '../sys/index.ts';
import { type EtcNode, fsPath, readXattrs } from './tree.ts';
import { type Xattrs, xattrsOf } from './xattrs.ts';

export interface Attributes {
  readonly uid: number;
  readonly gid: number;
  /** Permission bits, including set-ID and sticky. */
  readonly mode: number;
  readonly xattrs: Xattrs;
}

export interface AttributeMerge {
  readonly merged: Attributes;
  /** Attributes whose value only the user changed, and only the new defaults. */
  readonly fromUser: readonly string[];
  readonly fromNext: readonly string[];
  /** Changed on both sides, with both values. */
  readonly conflicts: readonly string[];
}

const LABEL = 'security.selinux';

/** Reads the attributes of what stands at a path. */
export function readAttributes(node: EtcNode): Attributes {
  const { uid, gid, mode } = node.stat;
  return { uid, gid, mode: mode & 0o7777, xattrs: readXattrs(node) };
}

/** Tells whether attributes are equal but for the security label. A symlink has no mode of its own. */
export function isSameAttributes(a: EtcNode, b: EtcNode): boolean {
  if (a.stat.uid !== b.stat.uid || a.stat.gid !== b.stat.gid) return false;
  if (a.type !== 'symlink' && ((a.stat.mode ^ b.stat.mode) & 0o7777) !== 0) return false;
  if (a.stat.ino === b.stat.ino && a.stat.dev === b.stat.dev) return true;
  const x = readXattrs(a);
  const y = readXattrs(b);
  if (x.size === 0 && y.size === 0) return true;
  return [...new Set([...x.keys(), ...y.keys()])].every((name) => name === LABEL || sameValue(x.get(name), y.get(name)));
}

function sameValue(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}

export interface AttributeSides {
  /** Undefined when there is no old default of the same type: then everything that differs is a conflict. */
  readonly base: Attributes | undefined;
  readonly user: Attributes;
  readonly next: Attributes;
}

/** Merges attribute by attribute; conflicts get the value of the preferred side. */
export function mergeAttributes({ base, user, next }: AttributeSides, prefer: 'user' | 'next' = 'user'): AttributeMerge {
  const fromUser: string[] = [];
  const fromNext: string[] = [];
  const conflicts: string[] = [];
  const pick = <T>(name: string, values: { base: T | undefined; user: T; next: T }, print: (value: T) => string): T => {
    const isSame = (a: T | undefined, b: T | undefined): boolean =>
      Buffer.isBuffer(a) && Buffer.isBuffer(b) ? a.equals(b) : a === b;
    if (isSame(values.user, values.next)) return values.user;
    const isSilent = name === LABEL;
    if (base !== undefined && isSame(values.base, values.user)) {
      if (!isSilent) fromNext.push(name);
      return values.next;
    }
    if (isSilent) return values.user;
    if (base !== undefined && isSame(values.base, values.next)) {
      fromUser.push(name);
      return values.user;
    }
    conflicts.push(`${name} ${print(values.user)} here, ${print(values.next)} in the new defaults`);
    return values[prefer];
  };
  const number = (name: 'uid' | 'gid'): number => pick(name, { base: base?.[name], user: user[name], next: next[name] }, String);
  const uid = number('uid');
  const gid = number('gid');
  const mode = pick('mode', { base: base?.mode, user: user.mode, next: next.mode }, (value) =>
    value.toString(8).padStart(4, '0'),
  );
  const xattrs = new Map<string, Buffer>();
  const names = new Set([...user.xattrs.keys(), ...next.xattrs.keys()]);
  for (const name of [...names].sort()) {
    const values = { base: base?.xattrs.get(name), user: user.xattrs.get(name), next: next.xattrs.get(name) };
    const value = pick(name, values, (bytes) => (bytes === undefined ? 'not set' : `0x${bytes.toString('hex')}`));
    if (value !== undefined) xattrs.set(name, value);
  }
  return { merged: { uid, gid, mode, xattrs }, fromUser, fromNext, conflicts };
}

/**
 * Gives a file or directory exactly these attributes, by descriptor, or a symlink its owner and xattrs, by path.
 * Returns the xattrs that the file system or the kernel refuses.
 */
export function writeAttributes(target: number | string, attributes: Attributes): string[] {
  if (typeof target === 'number') fs.fchownSync(target, attributes.uid, attributes.gid);
  else fs.lchownSync(fsPath(target), attributes.uid, attributes.gid);
  const refused = writeXattrs(target, attributes.xattrs);
  if (typeof target === 'number') fs.fchmodSync(target, attributes.mode);
  return refused;
}

function writeXattrs(target: number | string, wanted: ReadonlyMap<string, Buffer>): string[] {
  if (typeof target === 'string' && !target.isWellFormed()) return [...wanted.keys()];
  const present = xattrsOf(target);
  const refused: string[] = [];
  for (const [name, value] of wanted) {
    if (sameValue(present.get(name), value)) continue;
    try {
      setXattr(target, name, value);
    } catch (error) {
      if (!['ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EINVAL'].includes(errnoOf(error) ?? '')) throw error;
      refused.push(name);
    }
  }
  for (const name of present.keys()) {
    if (!wanted.has(name) && name !== LABEL) removeXattr(target, name);
  }
  return refused;
}
