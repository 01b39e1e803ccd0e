/** Reads the account files of the host and of a new root for planHostAccounts, and writes its result. */
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
  /** Tells whether the new root has a login shell. */
  readonly hasShell: (shell: string) => boolean;
  /** The new root's /etc, or its defaults. */
  readonly etcDir: string;
  readonly policy: EtcPolicy;
}

const SECRET_FILES: readonly AccountFile[] = ['shadow', 'gshadow'];

/** Plans which accounts of the host a new root gets. Reads only. Errors: system errors. */
export function readHostAccounts({ hostEtcDir, hasShell, etcDir, policy }: HostAccountsPlace): HostAccounts {
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
