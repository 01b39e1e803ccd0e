/** Commands that look at commits. */
import { type CommandSpec, command } from '../spec.ts';
import { GPG_HOMEDIR } from './options.ts';

export const revParse = command({
  id: 'rev-parse',
  area: 'history',
  summary: 'Print the commit that a revision means',
  description: [
    'A revision is a ref, REMOTE:REF, a checksum or its unique beginning, followed by any number of ^ for "parent of".',
  ],
  usesRepo: true,
  json: true,
  args: [{ name: 'revs', shown: 'REV', many: true, completes: 'rev', summary: 'Revisions' }],
  options: [
    { long: 'single', short: 'S', kind: 'flag', summary: 'Print the only commit of the repository; fail when there are several' },
  ],
  ostree: { missing: 'REV must be specified', usage: 'REV' },
});

export const log = command({
  id: 'log',
  area: 'history',
  summary: 'Print a commit and its ancestors',
  usesRepo: true,
  json: true,
  args: [{ name: 'rev', required: true, completes: 'rev', summary: 'Where to start' }],
  options: [
    { long: 'raw', kind: 'flag', summary: 'Print each commit object as GVariant text' },
    { long: 'count', short: 'n', kind: 'int', value: 'N', summary: 'At most so many commits', frontEnds: ['hacktree'] },
  ],
  ostree: { missing: 'A rev argument is required' },
});

export const show = command({
  id: 'show',
  area: 'history',
  summary: 'Print a commit, a part of its metadata, or another object',
  usesRepo: true,
  json: true,
  args: [{ name: 'object', required: true, completes: 'rev', summary: 'A revision, or the checksum of any object' }],
  options: [
    { long: 'print-related', kind: 'flag', summary: 'Print the related commits' },
    {
      long: 'print-variant-type',
      kind: 'string',
      value: 'TYPE',
      summary: 'OBJECT is the path of a file; print it as a GVariant of this type',
    },
    { long: 'print-metadata-key', kind: 'string', value: 'KEY', summary: 'Print the value of a metadata key' },
    { long: 'print-detached-metadata-key', kind: 'string', value: 'KEY', summary: 'Print the value of a detached metadata key' },
    { long: 'list-metadata-keys', kind: 'flag', summary: 'List the metadata keys' },
    { long: 'list-detached-metadata-keys', kind: 'flag', summary: 'List the detached metadata keys' },
    { long: 'print-sizes', kind: 'flag', summary: 'Print how much a pull would fetch, from the sizes kept in the commit' },
    { long: 'raw', kind: 'flag', summary: 'Print the object as GVariant text' },
    { long: 'no-byteswap', short: 'B', kind: 'flag', summary: 'Print numbers as they are stored, not as big-endian ones' },
    GPG_HOMEDIR,
    {
      long: 'gpg-verify-remote',
      kind: 'string',
      value: 'REMOTE',
      completes: 'remote',
      summary: "Check signatures with this remote's keys",
    },
  ],
  ostree: { missing: 'An object argument is required' },
  examples: [{ does: 'The version of a commit', line: 'hacktree show --print-metadata-key=version os/stable' }],
});

export const ls = command({
  id: 'ls',
  area: 'history',
  summary: 'List paths of a commit',
  usesRepo: true,
  json: true,
  args: [
    { name: 'rev', shown: 'COMMIT', required: true, completes: 'rev', summary: 'The revision' },
    { name: 'paths', shown: 'PATH', many: true, summary: 'Files, or directories with what is in them; default /' },
  ],
  options: [
    { long: 'dironly', short: 'd', kind: 'flag', summary: 'List directories themselves, not what is in them' },
    { long: 'recursive', short: 'R', kind: 'flag', summary: 'List everything below directories' },
    { long: 'checksum', short: 'C', kind: 'flag', summary: 'Print checksums; of a directory its tree and its metadata' },
    { long: 'xattrs', short: 'X', kind: 'flag', summary: 'Print extended attributes' },
    { long: 'nul-filenames-only', kind: 'flag', summary: 'Print only paths, each followed by a NUL byte' },
  ],
  ostree: { missing: 'An COMMIT argument is required' },
});

export const cat = command({
  id: 'cat',
  area: 'history',
  summary: 'Print the content of files of a commit',
  usesRepo: true,
  json: true,
  args: [
    { name: 'rev', shown: 'COMMIT', required: true, completes: 'rev', summary: 'The revision' },
    { name: 'path', required: true, summary: 'A file; symlinks are followed within the tree' },
    { name: 'paths', shown: 'PATH', many: true, summary: 'More files' },
  ],
  options: [],
  ostree: { missing: 'A COMMIT and at least one PATH argument are required' },
  examples: [{ does: 'Which system this is', line: 'hacktree cat os/stable /usr/lib/os-release' }],
});

export const diff = command({
  id: 'diff',
  area: 'history',
  summary: 'Compare two commits, or a commit with a directory',
  description: [
    'Lines say M (modified), D (deleted) or A (added). Of a deleted directory only the top is listed.',
    'What starts with / or ./ is a directory of this machine. One revision alone is compared with its parent.',
  ],
  usesRepo: true,
  json: true,
  args: [
    { name: 'from', shown: 'REV|DIR', required: true, completes: 'rev', summary: 'The old side' },
    { name: 'to', shown: 'REV|DIR', completes: 'rev', summary: 'The new side' },
  ],
  options: [
    { long: 'stats', kind: 'flag', summary: 'Count the objects of both and those in common' },
    { long: 'fs-diff', kind: 'flag', summary: 'List differences (the default without --stats)' },
    { long: 'no-xattrs', kind: 'flag', summary: 'Take files of directories without their extended attributes' },
    { long: 'owner-uid', kind: 'int', value: 'UID', summary: 'Take files of directories as owned by this user' },
    { long: 'owner-gid', kind: 'int', value: 'GID', summary: 'Take files of directories as owned by this group' },
  ],
  ostree: { missing: 'REV must be specified' },
});

export const HISTORY_COMMANDS = [log, show, ls, cat, diff, revParse] as const satisfies readonly CommandSpec[];
