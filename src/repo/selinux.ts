/**
 * The SELinux policy of a root directory, as far as labels of files go.
 *
 *     etc/selinux/config                        SELINUXTYPE=TYPE; usr/etc/selinux where the root has no etc/selinux
 *     etc/selinux/TYPE/contexts/files/          file_contexts, .homedirs, .local; .subs, .subs_dist
 *
 * Source: selinux_config(5), file_contexts(5), selabel_file(5).
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { errnoOf, HacktreeError, wrapSystemError } from '../core/index.ts';
import { FileContexts } from './file-contexts.ts';

export interface SelinuxPolicy {
  /** Name of the policy: `targeted`, `default`. */
  readonly name: string;
  /** Returns the label of an absolute path; mode with file type bits. undefined where the policy says nothing. */
  labelFor(path: string, mode: number): string | undefined;
}

/** Loads the policy below a root directory. Errors: `selinux-policy`. */
export function loadSelinuxPolicy(root: string): SelinuxPolicy {
  const places = [join(root, 'etc/selinux'), join(root, 'usr/etc/selinux')];
  for (const dir of places) {
    const config = readOptional(join(dir, 'config'));
    if (config !== undefined) return loadPolicyIn(dir, config);
  }
  throw new HacktreeError('selinux-policy', `No SELinux policy in ${root}: etc/selinux/config is missing`, {
    details: { path: root, expected: places.map((dir) => join(dir, 'config')).join(' or '), found: 'nothing' },
  });
}

function loadPolicyIn(dir: string, config: string): SelinuxPolicy {
  const name = /^\s*SELINUXTYPE\s*=\s*(\S+)\s*$/m.exec(config)?.[1];
  if (name === undefined || name.includes('/') || name === '..') {
    throw new HacktreeError('selinux-policy', `No SELINUXTYPE in ${join(dir, 'config')}`, {
      details: { path: join(dir, 'config'), expected: 'SELINUXTYPE=NAME', found: name ?? 'nothing' },
    });
  }
  const base = join(dir, name, 'contexts/files/file_contexts');
  const main = readOptional(base);
  if (main === undefined) {
    throw new HacktreeError('selinux-policy', `The SELinux policy ${name} has no file contexts: ${base} is missing`, {
      details: { path: base, expected: 'file contexts', found: 'nothing' },
    });
  }
  const contexts = new FileContexts({
    contexts: [main, readOptional(`${base}.homedirs`) ?? '', readOptional(`${base}.local`) ?? ''],
    subs: readOptional(`${base}.subs`) ?? '',
    subsDist: readOptional(`${base}.subs_dist`) ?? '',
  });
  return { name, labelFor: (path, mode) => contexts.lookup(path === '/proc' ? '/mnt' : path, mode) };
}

function readOptional(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw wrapSystemError(error, 'Reading SELinux policy', path);
  }
}
