/**
 * Checks a boot menu after it was written: what the boot loader would read is what was asked for, and every file that it
 * names is there and has the expected bytes.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../core/index.ts';
import { hashFile } from './hash-file.ts';
import type { BootEntry, BootMenu, ExpectedDigests, FoundDigests, MenuFinding } from './types.ts';

export interface VerifySituation {
  readonly bootDir: string;
  /** File that holds the menu, named in findings about the menu itself. */
  readonly configPath: string;
  readonly digests: ExpectedDigests;
  readonly hashed: FoundDigests | undefined;
}

/** Compares the wanted menu with the one read from the disk, then looks at every file. Empty when all is well. */
export function verifyMenu(wanted: BootMenu, found: BootMenu, situation: VerifySituation): MenuFinding[] {
  return [...compareMenus(wanted, found, situation.configPath), ...checkFiles(found, situation)];
}

function compareMenus(wanted: BootMenu, found: BootMenu, path: string): MenuFinding[] {
  const findings: MenuFinding[] = [];
  const differ = (entryId: string | undefined, what: string, a: unknown, b: unknown): void => {
    if (a !== b) findings.push({ entryId, path, problem: `${what} is '${b}', expected '${a}'` });
  };
  differ(undefined, 'the default', wanted.defaultId, found.defaultId);
  differ(undefined, 'the previous entry', wanted.previousId, found.previousId);
  differ(undefined, 'the number of tries', wanted.triesLeft, found.triesLeft);
  differ(undefined, 'the one-shot entry', wanted.oneShotId, found.oneShotId);
  differ(undefined, 'the order', ids(wanted), ids(found));
  for (const entry of wanted.entries) {
    const other = found.entries.find(({ id }) => id === entry.id);
    if (other === undefined) findings.push({ entryId: entry.id, path, problem: 'the entry is not in the menu' });
    else if (asText(entry) !== asText(other)) differ(entry.id, 'the entry', asText(entry), asText(other));
  }
  return findings;
}

const ids = ({ entries }: BootMenu): string => entries.map(({ id }) => id).join(' ');

/** GRUB drops double quotes and puts its own. */
function asText({ kernel, initrds, arguments: words }: BootEntry): string {
  return [kernel, ...initrds, ...words].join(' ').replaceAll('"', '');
}

function checkFiles(menu: BootMenu, { bootDir, digests, hashed }: VerifySituation): MenuFinding[] {
  const findings: MenuFinding[] = [];
  const problems = new Map<string, string | undefined>();
  for (const entry of menu.entries) {
    for (const file of [entry.kernel, ...entry.initrds]) {
      if (!problems.has(file)) problems.set(file, fileProblem(join(bootDir, file), digests.get(file), hashed));
      const problem = problems.get(file);
      if (problem !== undefined) findings.push({ entryId: entry.id, path: join(bootDir, file), problem });
    }
  }
  return findings;
}

function fileProblem(path: string, expected: string | undefined, hashed: FoundDigests | undefined): string | undefined {
  try {
    if (!fs.statSync(path).isFile()) return 'is not a regular file';
    if (expected === undefined) return undefined;
    const found = hashed?.get(path) ?? hashFile(path);
    return found === expected ? undefined : `has SHA-256 ${found}, expected ${expected}`;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return errnoOf(error) === 'ENOENT' ? 'is missing' : `cannot be read (${errnoOf(error)})`;
  }
}
