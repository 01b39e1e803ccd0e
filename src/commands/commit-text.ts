/** A commit as `log` and `show` print it, and as their JSON has it. */
import type { CommitFacts } from '../repo/index.ts';
import { printDate } from './format-text.ts';

/** Prints a commit: facts, then subject and body indented, each part ending in a blank line. Errors: `format-invalid`. */
export function printCommit(facts: CommitFacts): string {
  const { parent, contentChecksum, timestampSec, version, subject, body } = facts;
  const lines = [
    ...(parent === undefined ? [] : [`Parent:  ${parent}`]),
    `ContentChecksum:  ${contentChecksum}`,
    `Date:  ${printDate(timestampSec)}`,
    ...(version === undefined ? [] : [`Version: ${version}`]),
    ...(subject === '' ? ['(no subject)', ''] : ['', ...indented(subject), '']),
    ...(body === '' ? [] : [...indented(body), '']),
  ];
  return `${lines.join('\n')}\n`;
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
