/** Commands that make, look at and use static deltas. */
import { type CommandSpec, command } from '../spec.ts';
import { KEYS_DIR, KEYS_FILE, SIGN_TYPE, THREADS } from './options.ts';

const KEYS = { name: 'keys', shown: 'KEY', many: true, summary: 'Public keys, one of which must have signed it' } as const;
const DELTA = { name: 'delta', required: true, summary: '[FROM-]TO as list prints it, or the path of a superblock' } as const;

export const deltaList = command({
  id: 'static-delta list',
  area: 'mirror',
  summary: 'List the static deltas',
  usesRepo: true,
  json: true,
  args: [],
  options: [],
  ostree: { usage: '' },
});

export const deltaShow = command({
  id: 'static-delta show',
  area: 'mirror',
  summary: 'Say what is in a static delta',
  usesRepo: true,
  json: true,
  args: [DELTA],
  options: [],
  ostree: { missing: 'DELTA must be specified', usage: '' },
});

export const deltaDelete = command({
  id: 'static-delta delete',
  area: 'mirror',
  summary: 'Delete a static delta',
  usesRepo: true,
  args: [{ ...DELTA, summary: '[FROM-]TO as list prints it' }],
  options: [],
  ostree: { missing: 'DELTA must be specified', usage: '' },
});

export const deltaGenerate = command({
  id: 'static-delta generate',
  area: 'mirror',
  summary: 'Make a static delta: few files with what one commit has and another lacks',
  description: [
    'Without --from and --empty it starts at the parent. Clients find it after `summary -u` or `static-delta reindex`.',
  ],
  usesRepo: true,
  json: true,
  args: [{ name: 'rev', shown: 'TO', completes: 'rev', summary: 'The commit that it leads to; --to does the same' }],
  options: [
    { long: 'from', kind: 'string', value: 'REV', completes: 'rev', summary: 'The commit that clients must have' },
    { long: 'empty', kind: 'flag', summary: 'For clients that have nothing' },
    { long: 'inline', kind: 'flag', summary: 'Keep everything in one file' },
    { long: 'to', kind: 'string', value: 'REV', completes: 'rev', summary: 'The commit that it leads to' },
    { long: 'disable-bsdiff', kind: 'flag', summary: 'Do not compare files with bsdiff' },
    { long: 'if-not-exists', short: 'n', kind: 'flag', summary: 'Do nothing when there is such a delta' },
    {
      long: 'set-endianness',
      kind: 'string',
      value: 'ENDIAN',
      choices: ['l', 'B'],
      summary: 'Byte order of its numbers: l (little, default) or B (big)',
    },
    { long: 'swap-endianness', kind: 'flag', summary: 'The other byte order than usual' },
    {
      long: 'min-fallback-size',
      kind: 'string',
      value: 'MB',
      summary: 'New files of at least this size are fetched as objects; default 4, 0 never',
    },
    {
      long: 'max-bsdiff-size',
      kind: 'string',
      value: 'MB',
      summary: 'Largest pair of files to compare with bsdiff; default 128',
    },
    { long: 'max-chunk-size', kind: 'string', value: 'MB', summary: 'Size of a part before compression; default 32' },
    {
      long: 'filename',
      kind: 'string',
      value: 'PATH',
      completes: 'path',
      summary: 'Write the superblock here and the parts beside it, not into the repository',
    },
    { long: 'sign', kind: 'list', value: 'KEY', summary: 'Sign with this secret key' },
    { ...KEYS_FILE, summary: 'Sign with the secret keys in this file' },
    SIGN_TYPE,
    THREADS,
  ],
  examples: [
    { does: 'For clients that have the version before', line: 'hacktree static-delta generate os/stable' },
    { does: 'A whole system in one file', line: 'hacktree static-delta generate --empty --inline --filename=os.delta os/stable' },
  ],
});

export const deltaApply = command({
  id: 'static-delta apply-offline',
  area: 'mirror',
  summary: 'Make a commit out of the files of a static delta',
  description: ['No ref names the commit afterwards: `refs --create` gives it one.'],
  usesRepo: true,
  json: true,
  args: [{ name: 'path', required: true, completes: 'path', summary: 'Its superblock, or the directory of it' }, KEYS],
  options: [SIGN_TYPE, KEYS_FILE, KEYS_DIR],
  ostree: { missing: 'PATH must be specified', usage: '' },
});

export const deltaVerify = command({
  id: 'static-delta verify',
  area: 'mirror',
  summary: 'Check the signatures of a static delta',
  usesRepo: true,
  json: true,
  args: [DELTA, KEYS],
  options: [SIGN_TYPE, KEYS_FILE, KEYS_DIR],
  ostree: { missing: 'DELTA must be specified', usage: 'STATIC-DELTA-FILE [KEY-ID...]' },
});

export const deltaIndexes = command({
  id: 'static-delta indexes',
  area: 'mirror',
  summary: 'List the commits to which there is an index of static deltas',
  usesRepo: true,
  json: true,
  args: [],
  options: [],
});

export const deltaReindex = command({
  id: 'static-delta reindex',
  area: 'mirror',
  summary: 'Write the indexes of static deltas anew',
  usesRepo: true,
  args: [],
  options: [{ long: 'to', kind: 'string', value: 'COMMIT', summary: 'Only the index to this commit, a whole checksum' }],
});

export const DELTA_COMMANDS = [
  deltaList,
  deltaShow,
  deltaDelete,
  deltaGenerate,
  deltaApply,
  deltaVerify,
  deltaIndexes,
  deltaReindex,
] as const satisfies readonly CommandSpec[];
