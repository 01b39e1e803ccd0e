/**
 * Trees to commit: the one of the test vectors, and one with every kind of file that a commit can hold.
 *
 * Both are the same on every machine, owners and trusted xattrs aside, which only root can set.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setXattr } from '../../src/sys/index.ts';

const isRoot = process.getuid?.() === 0;

/** Makes the tree of the test vectors at `dir`, which must not exist. Needs root. **Source:** ostree-format 13. */
export function makeVectorTree(dir: string): void {
  mkdirSync(join(dir, 'usr/bin'), { recursive: true });
  mkdirSync(join(dir, 'empty'));
  writeFileSync(join(dir, 'hello.txt'), 'hello\n');
  writeFileSync(join(dir, 'zero'), '');
  symlinkSync('hello.txt', join(dir, 'link'));
  writeFileSync(join(dir, 'usr/bin/tool'), '#!/bin/sh\necho hi\n');
  for (const path of ['', 'usr', 'usr/bin', 'empty', 'usr/bin/tool']) chmodSync(join(dir, path), 0o755);
  chmodSync(join(dir, 'zero'), 0o644);
  chownSync(join(dir, 'hello.txt'), 1000, 100);
  chmodSync(join(dir, 'hello.txt'), 0o640);
  setXattr(join(dir, 'hello.txt'), 'user.alpha', Buffer.from('1'));
  setXattr(join(dir, 'hello.txt'), 'user.beta', Buffer.from('two'));
  setXattr(join(dir, 'usr'), 'user.dirattr', Buffer.from('xyz'));
}

/** Bytes that do not compress and are the same on every run. */
export function noise(length: number, seed: string): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) => createHash('sha256').update(`${seed} ${i}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

/**
 * Makes a tree of about 400 entries at `dir`, which must not exist: sizes around the block boundaries, empty and equal files,
 * names of every kind, symlinks, hard links, all mode bits, owners, xattrs (ACL and capability for root), deep and wide
 * directories.
 */
export function makeSmallTree(dir: string): void {
  mkdirSync(dir, { recursive: true });
  makeSizes(join(dir, 'sizes'));
  makeNames(join(dir, 'names'));
  makeLinks(join(dir, 'links'));
  makeModes(join(dir, 'modes'));
  makeXattrs(join(dir, 'xattrs'));
  makeShapes(join(dir, 'shapes'));
  if (isRoot) makeOwners(join(dir, 'owners'));
  setTimes(dir);
}

function makeSizes(dir: string): void {
  mkdirSync(dir);
  for (const size of [0, 1, 31, 32, 127, 128, 4095, 4096, 4097, 65_535, 65_536, 65_537, 1_048_576, 1_048_577, 3_000_000]) {
    writeFileSync(join(dir, `noise-${size}`), noise(size, 'sizes'));
  }
  writeFileSync(join(dir, 'zeros'), Buffer.alloc(500_000));
  writeFileSync(join(dir, 'text'), 'the same line again and again\n'.repeat(5000));
  writeFileSync(join(dir, 'same-1'), 'same content, same metadata\n');
  writeFileSync(join(dir, 'same-2'), 'same content, same metadata\n');
}

function makeNames(dir: string): void {
  mkdirSync(dir);
  const names = [
    'a',
    'A',
    'B',
    'a.b',
    'a-b',
    'a b',
    '-dash',
    '.hidden',
    '~',
    '"quoted"',
    "'",
    'new\nline',
    'tab\t',
    'back\\slash',
  ];
  const foreign = ['ä', 'ü\u0308', '日本語', '🌳', '\u{10FFFF}', 'ﬁ', 'x'.repeat(255), 'é'.repeat(127)];
  for (const name of [...names, ...foreign]) writeFileSync(join(dir, name), `${name}\n`);
  for (const name of ['dir', 'Dir', 'dir.d', 'dir-d']) mkdirSync(join(dir, name));
}

function makeLinks(dir: string): void {
  mkdirSync(join(dir, 'folder'), { recursive: true });
  writeFileSync(join(dir, 'file'), 'linked\n');
  linkSync(join(dir, 'file'), join(dir, 'hard-link'));
  linkSync(join(dir, 'file'), join(dir, 'folder/hard-link'));
  const targets = {
    relative: 'file',
    up: '../links/file',
    absolute: '/etc/passwd',
    dangling: 'nowhere',
    folder: 'folder',
    self: 'to-self',
  };
  for (const [name, target] of Object.entries(targets)) symlinkSync(target, join(dir, `to-${name}`));
  symlinkSync('ä/日本語', join(dir, 'to-foreign'));
  symlinkSync('long/'.repeat(200), join(dir, 'to-long'));
}

function makeModes(dir: string): void {
  mkdirSync(dir);
  for (const mode of [0o000, 0o400, 0o444, 0o555, 0o600, 0o640, 0o644, 0o664, 0o666, 0o700, 0o750, 0o755, 0o777]) {
    makeMode(dir, mode);
  }
  for (const mode of [0o1755, 0o2755, 0o4755, 0o6755, 0o7777, 0o4711]) makeMode(dir, mode);
}

function makeMode(dir: string, mode: number): void {
  const octal = mode.toString(8).padStart(4, '0');
  writeFileSync(join(dir, `file-${octal}`), `${octal}\n`);
  chmodSync(join(dir, `file-${octal}`), mode);
  const isUsable = (mode & 0o700) === 0o700;
  if (!isRoot && !isUsable) return;
  mkdirSync(join(dir, `dir-${octal}`));
  writeFileSync(join(dir, `dir-${octal}/inside`), octal);
  chmodSync(join(dir, `dir-${octal}`), mode);
}

/** One effective permission: version 2, permitted bit 10 (net_bind_service). **Source:** linux/capability.h. */
const CAPABILITY = Buffer.from('0100000200040000000000000000000000000000', 'hex');
/** user::rw- user:1000:r-- group::r-- mask::r-- other::--- **Source:** linux/posix_acl_xattr.h. */
const ACL = Buffer.from('0200000001000600ffffffff02000400e803000004000400ffffffff10000400ffffffff20000000ffffffff', 'hex');

function makeXattrs(dir: string): void {
  mkdirSync(dir);
  const file = (name: string): string => {
    writeFileSync(join(dir, name), name);
    return join(dir, name);
  };
  setXattr(file('one'), 'user.one', Buffer.from('value'));
  setXattr(file('empty-value'), 'user.empty', Buffer.alloc(0));
  setXattr(file('binary'), 'user.binary', Buffer.from([0, 1, 2, 255, 0]));
  setXattr(file('long'), 'user.long', noise(1500, 'xattr'));
  const many = file('many');
  for (const name of ['b', 'a', 'a.b', 'ab', 'A', 'ä', 'z']) setXattr(many, `user.${name}`, Buffer.from(name));
  mkdirSync(join(dir, 'folder'));
  setXattr(join(dir, 'folder'), 'user.folder', Buffer.from('yes'));
  if (!isRoot) return;
  setXattr(file('trusted'), 'trusted.test', Buffer.from('root only'));
  symlinkSync('trusted', join(dir, 'symlink'));
  setXattr(join(dir, 'symlink'), 'trusted.on-symlink', Buffer.from('symlink'));
  setXattr(file('capability'), 'security.capability', CAPABILITY);
  setXattr(file('acl'), 'system.posix_acl_access', ACL);
}

function makeShapes(dir: string): void {
  mkdirSync(join(dir, 'empty'), { recursive: true });
  mkdirSync(join(dir, 'only-empty/empty'), { recursive: true });
  mkdirSync(join(dir, `deep${'/d'.repeat(40)}`), { recursive: true });
  writeFileSync(join(dir, `deep${'/d'.repeat(40)}/bottom`), 'bottom');
  mkdirSync(join(dir, 'wide'));
  for (let i = 0; i < 200; i++) writeFileSync(join(dir, `wide/file-${i}`), `${i}\n`);
}

function makeOwners(dir: string): void {
  mkdirSync(dir);
  const owners: [number, number][] = [
    [0, 0],
    [1000, 1000],
    [1000, 0],
    [0, 100],
    [65_534, 65_534],
    [4_000_000_000, 4_000_000_001],
  ];
  for (const [uid, gid] of owners) {
    const name = `${uid}-${gid}`;
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, 'file'), name);
    symlinkSync('file', join(dir, name, 'symlink'));
    for (const path of [name, `${name}/file`, `${name}/symlink`]) lchownSync(join(dir, path), uid, gid);
  }
}

/** Gives every entry a time of its own, which a commit must forget. */
function setTimes(dir: string): void {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  entries.forEach((entry, i) => {
    const path = join(entry.parentPath, entry.name);
    const timeSec = 1_500_000_000 + i * 3600 + i / 1000;
    if (entry.isSymbolicLink()) lutimesSync(path, timeSec, timeSec);
    else utimesSync(path, timeSec, timeSec);
  });
}
