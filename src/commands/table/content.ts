/** Commands that turn directories into commits and commits into directories or tar streams. */
import { type CommandSpec, command } from '../spec.ts';
import { checkout } from './checkout.ts';
import { commit } from './commit.ts';

export const exportCommand = command({
  id: 'export',
  area: 'content',
  summary: 'Write a commit as a tar stream',
  usesRepo: true,
  args: [{ name: 'rev', shown: 'COMMIT', required: true, completes: 'rev', summary: 'The revision' }],
  options: [
    { long: 'no-xattrs', kind: 'flag', summary: 'Leave extended attributes out' },
    { long: 'subpath', kind: 'string', value: 'PATH', summary: 'Only this directory of the tree' },
    { long: 'prefix', kind: 'string', value: 'PATH', summary: 'Put all names below this directory' },
    {
      long: 'output',
      short: 'o',
      kind: 'string',
      value: 'FILE',
      completes: 'path',
      summary: 'Write to a file instead of standard output',
    },
  ],
  ostree: { missing: 'A COMMIT argument is required' },
  examples: [{ does: 'A container image of a commit', line: 'hacktree export os/stable | podman import - os:stable' }],
});

export const checksum = command({
  id: 'checksum',
  area: 'content',
  summary: 'Print the checksum that a file or directory has as an object',
  description: ["A directory's is that of its own metadata, without what is in it."],
  json: true,
  args: [{ name: 'path', required: true, completes: 'path', summary: 'A path of this machine' }],
  options: [{ long: 'ignore-xattrs', kind: 'flag', summary: 'As if it had no extended attributes' }],
  ostree: { missing: 'A filename must be given' },
});

export const CONTENT_COMMANDS = [commit, checkout, exportCommand, checksum] as const satisfies readonly CommandSpec[];
