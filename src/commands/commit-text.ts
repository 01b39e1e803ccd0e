/** A commit as `log` and `show` print it, and as their JSON has it. */
import { type Checksum, HacktreeError } from '../core/index.ts';
import { type CommitFacts, listMetadataKeys, printDate, type Repo } from '../repo/index.ts';
import type { SignatureVerdict } from '../sign/index.ts';
import type { Context } from './context.ts';
import type { GpgChoice } from './trust-keys.ts';

/** Prints a commit: facts, then subject and body indented, each part ending in a blank line. Errors: `format-invalid`. */
export function printCommit(facts: CommitFacts): string {
  const { parent, contentChecksum, timestampSec, version, subject, body } = facts;
  const lines = [
    ...(parent === undefined ? [] : [`Parent:  ${parent}`]),
    `ContentChecksum:  ${contentChecksum}`,
    `Date:  ${dateOf(timestampSec)}`,
    ...(version === undefined ? [] : [`Version: ${version}`]),
    ...(subject === '' ? ['(no subject)', ''] : ['', ...indented(subject), '']),
    ...(body === '' ? [] : [...indented(body), '']),
  ];
  return `${lines.join('\n')}\n`;
}

function dateOf(timestampSec: bigint): string {
  const text = printDate(timestampSec);
  if (text !== undefined) return text;
  throw new HacktreeError('format-invalid', `Invalid timestamp: ${timestampSec}`, {
    details: { expected: 'a time in the years 1 to 9999', found: timestampSec },
  });
}

function indented(text: string): string[] {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `    ${line}`);
}

/** The `data` of a commit. */
export function commitData(facts: CommitFacts): object {
  const { commit, parent, contentChecksum, timestampSec, version, subject, body } = facts;
  return { commit, parent: parent ?? null, contentChecksum, timestampSec, version: version ?? null, subject, body };
}

/** Prints who signed a commit and returns it. Errors: `remote-not-found`, `key-invalid`, `path-not-found`. */
export async function signaturesOf(
  context: Context,
  repo: Repo,
  commit: Checksum,
  choice: GpgChoice = {},
): Promise<SignatureVerdict[]> {
  const told = context.frontEnd === 'ostree' ? /^ostree\.gpgsigs$/ : /^ostree\.(gpgsigs|sign\.)/;
  if (!listMetadataKeys(repo, commit, { detached: true }).some((key) => told.test(key))) return [];
  const { showSignatures } = await import('./signatures.ts');
  return showSignatures(context, repo, commit, choice);
}
