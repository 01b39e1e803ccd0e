/** Commands about refs of collections: who has them, and copying them to a disk. */
import { type CommandSpec, command } from '../spec.ts';
import { CACHE_DIR } from './options.ts';

const REFS = { name: 'refs', shown: 'COLLECTION-ID REF', many: true, summary: 'Pairs of a collection ID and a ref' } as const;

export const findRemotes = command({
  id: 'find-remotes',
  area: 'mirror',
  summary: 'Find who has refs of collections: configured remotes and mounted disks',
  description: [
    'With --pull, commits are taken only with a good GPG signature by a key of the remote that is configured for their collection.',
  ],
  usesRepo: true,
  json: true,
  args: [REFS],
  options: [
    CACHE_DIR,
    { long: 'disable-fsync', kind: 'flag', summary: 'Do not flush to the device' },
    {
      long: 'finders',
      kind: 'string',
      value: 'LIST',
      summary: 'Where to look, separated by commas: config, mount; default both',
    },
    { long: 'pull', kind: 'flag', summary: 'Pull what was found' },
    { long: 'mirror', kind: 'flag', summary: 'With --pull: write refs/mirrors, not those of a remote' },
  ],
  ostree: { usage: 'COLLECTION-ID REF [COLLECTION-ID REF...]' },
  examples: [{ does: 'Update from a plugged-in disk', line: 'hacktree find-remotes --pull org.example.Os os/stable' }],
});

export const createUsb = command({
  id: 'create-usb',
  area: 'mirror',
  summary: 'Copy refs of collections to a mounted disk, from which other machines can pull',
  usesRepo: true,
  json: true,
  args: [{ name: 'mount', shown: 'MOUNT-PATH', required: true, completes: 'dir', summary: 'Where the disk is mounted' }, REFS],
  options: [
    { long: 'disable-fsync', kind: 'flag', summary: 'Do not flush to the device' },
    { long: 'destination-repo', kind: 'string', value: 'DEST', summary: 'The repository on the disk; default .ostree/repo' },
    { long: 'commit', kind: 'string', value: 'COMMIT', summary: 'This commit instead of that of the only ref' },
  ],
  ostree: { missing: 'A MOUNT-PATH must be specified', usage: 'MOUNT-PATH COLLECTION-ID REF [COLLECTION-ID REF...]' },
  examples: [{ does: 'A system to take along', line: 'hacktree create-usb /media/disk org.example.Os os/stable' }],
});

export const COLLECTION_COMMANDS = [findRemotes, createUsb] as const satisfies readonly CommandSpec[];
