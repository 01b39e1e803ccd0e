/** Commands that look at commits. */
import { type CommandSpec, command } from '../spec.ts';

export const revParse = command({
  id: 'rev-parse',
  area: 'history',
  summary: 'Print the commit that a revision means',
  description: [
    'A revision is a ref, REMOTE:REF, a checksum or its unique beginning, followed by any number of ^ for "parent of".',
  ],
  usesRepo: true,
  reads: true,
  args: [{ name: 'revs', shown: 'REV', many: true, completes: 'rev', summary: 'Revisions' }],
  options: [
    { long: 'single', short: 'S', kind: 'flag', summary: 'Print the only commit of the repository; fail when there are several' },
  ],
  ostree: { missing: 'REV must be specified', usage: 'REV' },
});

export const HISTORY_COMMANDS = [revParse] as const satisfies readonly CommandSpec[];
