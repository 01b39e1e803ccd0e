/** Commands that look after /etc of deployed roots: local changes, conflicts, history. */
import { type CommandSpec, command } from '../spec.ts';
import { CHANGING, COMMON } from './deploy.ts';

const ROOT = {
  long: 'root',
  kind: 'string',
  value: 'ROOT',
  summary: "Work on this root's /etc; default: the booted one, else the one that boots by itself",
} as const;
const PATH = { name: 'path', required: true, summary: 'Relative to /etc, or with /etc/ in front' } as const;

export const etcStatus = command({
  id: 'etc status',
  area: 'etc',
  summary: 'List local changes of /etc, and conflicts that wait for a decision',
  args: [{ name: 'root', summary: 'Which root; default: the booted one, else the one that boots by itself' }],
  options: [...COMMON],
  json: true,
  frontEnds: ['hacktree'],
  examples: [{ does: 'Is there anything to decide?', line: 'hacktree etc status' }],
});

export const etcDiff = command({
  id: 'etc diff',
  area: 'etc',
  summary: 'Show local changes of /etc, or what differs between two roots, line by line',
  description: [
    'Without a root: the changes of the booted root (else the one that boots by itself) against its defaults.',
    'With one: from its /etc to that of the booted root. With two: from the first to the second.',
  ],
  args: [
    { name: 'from', shown: 'ROOT', summary: 'The old side' },
    { name: 'to', shown: 'ROOT', summary: 'The new side' },
  ],
  options: [
    ...COMMON,
    { long: 'defaults', kind: 'flag', summary: 'Compare the defaults of two roots, not what was made of them' },
    { long: 'name-only', kind: 'flag', summary: 'Only say which paths differ' },
  ],
  json: true,
  frontEnds: ['hacktree'],
  examples: [
    { does: 'What was changed here', line: 'hacktree etc diff' },
    { does: 'What an update changed', line: 'hacktree etc diff --defaults root-1.0 root-2.0' },
  ],
});

export const etcLog = command({
  id: 'etc log',
  area: 'etc',
  summary: 'Print the history of /etc, newest first',
  args: [{ ...PATH, required: false, summary: 'Only commits that changed this path, relative to /etc' }],
  options: [
    ...COMMON,
    { long: 'from', kind: 'string', value: 'ROOT|COMMIT', summary: 'Start here; default: every root and the defaults' },
    { long: 'count', short: 'n', kind: 'int', value: 'N', summary: 'At most so many commits' },
  ],
  json: true,
  frontEnds: ['hacktree'],
  examples: [{ does: 'Who changed it, and when', line: 'hacktree etc log ssh/sshd_config' }],
});

export const etcShow = command({
  id: 'etc show',
  area: 'etc',
  summary: 'Show what a commit of the history changed, or what it has at a path',
  args: [
    {
      name: 'commit',
      shown: 'ROOT|COMMIT',
      required: true,
      summary: 'A root, upstream for the newest defaults, or a commit of etc log',
    },
    { ...PATH, required: false, summary: 'Print this file as it was then' },
  ],
  options: [...COMMON],
  json: true,
  frontEnds: ['hacktree'],
  examples: [{ does: 'A file as it was', line: 'hacktree etc show 3f2a91c ssh/sshd_config' }],
});

export const etcRestore = command({
  id: 'etc restore',
  area: 'etc',
  summary: 'Put a file or directory of /etc back as it was',
  description: ['What stands there now is put into the history first. Of a directory, files that it did not have then stay.'],
  args: [PATH],
  options: [
    ...CHANGING,
    ROOT,
    {
      long: 'from',
      kind: 'string',
      value: 'ROOT|COMMIT',
      summary: "From there; default: the root's own last commit; upstream has the newest defaults",
    },
  ],
  json: true,
  frontEnds: ['hacktree'],
  examples: [{ does: 'Take an edit back', line: 'hacktree etc restore ssh/sshd_config' }],
});

export const etcResolve = command({
  id: 'etc resolve',
  area: 'etc',
  summary: 'Settle a conflict: keep the local version, or take the new default',
  description: ['Both versions are put into the history first.'],
  args: [PATH],
  options: [
    ...CHANGING,
    ROOT,
    { long: 'keep', kind: 'flag', summary: 'Keep the local version' },
    { long: 'new', kind: 'flag', summary: 'Take the new default' },
  ],
  json: true,
  frontEnds: ['hacktree'],
  examples: [{ does: 'Take the new default', line: 'hacktree etc resolve ssh/sshd_config --new' }],
});

export const etcGc = command({
  id: 'etc gc',
  area: 'etc',
  summary: 'Forget old history of /etc',
  description: ['The newest deployments stay with what they were made from, and so does the last state of every deployed root.'],
  args: [],
  options: [...CHANGING, { long: 'keep', kind: 'int', value: 'N', summary: 'How many deployments to keep; must be given' }],
  json: true,
  frontEnds: ['hacktree'],
  examples: [{ does: 'Keep the last ten', line: 'hacktree etc gc --keep=10' }],
});

export const ETC_COMMANDS = [
  etcStatus,
  etcDiff,
  etcLog,
  etcShow,
  etcRestore,
  etcResolve,
  etcGc,
] as const satisfies readonly CommandSpec[];
