/** Reads the account files of the host and of a new root for planHostAccounts, and writes its result. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { wrapSystemError } from '../core/index.ts';
import { writeFileDurable } from '../sys/index.ts';
import { ACCOUNT_FILES, type AccountFile } from './account-files.ts';
import { type Attributes, readAttributes, writeAttributes } from './attributes.ts';
import { type AccountTexts, type HostAccounts, planHostAccounts } from './host-accounts.ts';
import type { EtcPolicy } from './policy.ts';
import { readContent, readNode } from './tree.ts';

export interface HostAccountsPlace {
  /** The host's /etc. */
  readonly hostEtcDir: string;
  /** The new root: login shells are looked for in it. */
  readonly rootDir: string;
  /** The new root's /etc. */
  readonly etcDir: string;
  readonly policy: EtcPolicy;
}

const MAX_SYMLINKS = 40;
const SECRET_FILES: readonly AccountFile[] = ['shadow', 'gshadow'];

/** Plans which accounts of the host a new root gets. Reads only. Errors: system errors. */
export function readHostAccounts({ hostEtcDir, rootDir, etcDir, policy }: HostAccountsPlace): HostAccounts {
  const hasShell = (shell: string): boolean => existsInRoot(rootDir, shell);
  return planHostAccounts({ host: readTexts(hostEtcDir), root: readTexts(etcDir), policy, hasShell });
}

/** Writes the planned files into the new root's /etc; owner and mode stay. Not flushed: the caller syncs the root. */
export function applyHostAccounts({ texts }: HostAccounts, etcDir: string): void {
  for (const file of ACCOUNT_FILES) {
    const text = texts[file];
    if (text === undefined) continue;
    const full = path.join(etcDir, file);
    try {
      const node = readNode(full);
      const attributes = node?.type === 'file' ? readAttributes(node) : newAttributes(file);
      const prepare = (fd: number): void => void writeAttributes(fd, attributes);
      writeFileDurable(full, Buffer.from(text, 'latin1'), { mode: 0o600, sync: false, prepare });
    } catch (error) {
      throw wrapSystemError(error, 'Cannot write', full);
    }
  }
}

function newAttributes(file: AccountFile): Attributes {
  return { uid: 0, gid: 0, mode: SECRET_FILES.includes(file) ? 0o600 : 0o644, xattrs: new Map() };
}

function readTexts(etcDir: string): AccountTexts {
  const texts: Partial<Record<AccountFile, string>> = {};
  for (const file of ACCOUNT_FILES) {
    const full = path.join(etcDir, file);
    try {
      const node = readNode(full);
      if (node?.type === 'file') texts[file] = readContent(node).toString('latin1');
    } catch (error) {
      throw wrapSystemError(error, 'Cannot read', full);
    }
  }
  return texts;
}

/** Tells whether an absolute path exists in a root, its symlinks followed within it. */
function existsInRoot(rootDir: string, absolutePath: string): boolean {
  const pending = absolutePath.split('/').filter((part) => part !== '');
  let found: string[] = [];
  for (let links = 0; pending.length > 0; ) {
    const part = pending.shift() as string;
    if (part === '.' || part === '..') {
      if (part === '..') found.pop();
      continue;
    }
    const full = path.join(rootDir, ...found, part);
    const node = readNode(full);
    if (node === undefined) return false;
    if (node.type !== 'symlink') found.push(part);
    else {
      if (++links > MAX_SYMLINKS) return false;
      const target = fs.readlinkSync(full);
      if (target.startsWith('/')) found = [];
      pending.unshift(...target.split('/').filter((one) => one !== ''));
    }
  }
  return true;
}
