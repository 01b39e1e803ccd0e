/** Commands that look after a repository: making it, its configuration, its refs. */
import { type CommandSpec, command } from '../spec.ts';
import { THREADS } from './options.ts';

export const init = command({
  id: 'init',
  area: 'repository',
  summary: 'Make an empty repository',
  description: ['On an existing repository only the collection ID is set; nothing else changes.'],
  usesRepo: true,
  args: [{ name: 'path', completes: 'dir', summary: 'Where to make it; --repo=PATH does the same' }],
  options: [
    {
      long: 'mode',
      kind: 'string',
      value: 'MODE',
      summary: 'How objects are kept: bare (default), bare-user, bare-user-only, archive or bare-split-xattrs',
    },
    {
      long: 'collection-id',
      kind: 'string',
      value: 'ID',
      summary: 'Name this repository as a collection of refs, e.g. org.example.Os',
    },
  ],
  examples: [
    { does: 'A repository for checkouts as root', line: 'hacktree init --repo=/srv/repo' },
    { does: 'A repository to serve over HTTP', line: 'hacktree init --repo=/srv/www/repo --mode=archive' },
  ],
});

export const config = command({
  id: 'config',
  area: 'repository',
  summary: 'Read or change a key of the configuration',
  usesRepo: true,
  json: true,
  args: [
    { name: 'operation', required: true, completes: ['get', 'set', 'unset'], summary: 'get, set or unset' },
    { name: 'key', summary: 'SECTION.KEY, such as core.mode' },
    { name: 'value', summary: 'The new value, for set' },
  ],
  options: [
    { long: 'group', kind: 'string', value: 'SECTION', summary: 'The section, when its name has dots: remote "example.org"' },
  ],
  ostree: { missing: 'OPERATION must be specified', refusesExtra: true, usage: '(get KEY|set KEY VALUE|unset KEY)' },
  examples: [
    { does: 'Keep 1 GB free', line: 'hacktree config set core.min-free-space-size 1GB' },
    { does: "A remote's URL", line: `hacktree config get --group='remote "origin"' url` },
  ],
});

export const refs = command({
  id: 'refs',
  area: 'repository',
  summary: 'List, make and delete refs',
  description: ['PREFIX is a ref or a directory of refs. When listing below one, it is cut off, unless --list is given.'],
  usesRepo: true,
  json: true,
  args: [
    {
      name: 'prefixes',
      shown: 'PREFIX',
      many: true,
      completes: 'ref',
      summary: 'Only refs of this name or below it; with --create the revision',
    },
  ],
  options: [
    { long: 'delete', kind: 'flag', summary: 'Delete the refs that PREFIX names' },
    { long: 'list', kind: 'flag', summary: 'Print whole names although a PREFIX is given' },
    { long: 'alias', short: 'A', kind: 'flag', summary: 'List aliases only; with --create make an alias' },
    { long: 'create', kind: 'string', value: 'NEWREF', summary: 'Make a ref that points to the given revision' },
    { long: 'collections', short: 'c', kind: 'flag', summary: 'Show the collection of each ref, those of other collections too' },
    { long: 'revision', short: 'r', kind: 'flag', summary: 'Print the commit of each ref too' },
    { long: 'force', kind: 'flag', summary: 'Let --create overwrite an existing ref' },
  ],
  examples: [{ does: 'Name the parent of a ref', line: 'hacktree refs --create=os/previous os/stable^' }],
});

export const reset = command({
  id: 'reset',
  area: 'repository',
  summary: 'Make a ref point to another commit',
  usesRepo: true,
  args: [
    { name: 'ref', required: true, completes: 'ref', summary: 'The ref' },
    { name: 'commit', required: true, completes: 'rev', summary: 'The revision that it shall point to' },
  ],
  options: [],
  ostree: { missing: 'A REF and COMMIT argument is required' },
  examples: [{ does: 'Take the last commit back', line: 'hacktree reset os/stable os/stable^' }],
});

export const fsck = command({
  id: 'fsck',
  area: 'repository',
  summary: 'Verify every object that refs and commits need',
  description: [
    'All damage is found and listed with the refs and paths that it affects; commits that lack objects are marked, and lose the mark when they prove whole.',
    'Exit status 0 means that nothing is wrong, or that everything was repaired.',
  ],
  usesRepo: true,
  json: true,
  interruptible: true,
  args: [],
  options: [
    { long: 'add-tombstones', kind: 'flag', summary: 'Write tombstones for parent commits that are missing' },
    { long: 'quiet', short: 'q', kind: 'flag', summary: 'Print only what is wrong' },
    { long: 'all', short: 'a', kind: 'flag', summary: 'Find everything (always done; for scripts written for ostree)' },
    { long: 'delete', kind: 'flag', summary: 'Remove damaged objects and mark the commits that need them' },
    { long: 'verify-bindings', kind: 'flag', summary: 'Check that commits are bound to the refs that lead to them' },
    { long: 'verify-back-refs', kind: 'flag', summary: 'Also check that the refs that commits are bound to lead to them' },
    {
      long: 'repair',
      kind: 'flag',
      frontEnds: ['hacktree'],
      summary: 'Fetch damaged and missing objects from the repository of --from',
    },
    {
      long: 'from',
      kind: 'string',
      value: 'REPO',
      completes: 'dir',
      frontEnds: ['hacktree'],
      summary: 'Where --repair takes objects from',
    },
    THREADS,
  ],
  examples: [{ does: 'Mend a repository from its mirror', line: 'hacktree fsck --repair --from=/srv/mirror' }],
});

export const prune = command({
  id: 'prune',
  area: 'repository',
  summary: 'Remove what no ref or no commit needs',
  description: [
    'Without options every commit stays, and only objects that no commit needs go. With --refs-only, --depth and the other options commits go too.',
    '--dry-run says exactly what would go and how much disk space that frees; objects that checkouts hold by hard links free none.',
  ],
  usesRepo: true,
  json: true,
  interruptible: true,
  args: [],
  options: [
    { long: 'no-prune', kind: 'flag', summary: 'Only say what would go' },
    { long: 'dry-run', kind: 'flag', frontEnds: ['hacktree'], summary: 'The same as --no-prune' },
    { long: 'refs-only', kind: 'flag', summary: 'Keep only what refs lead to' },
    { long: 'depth', kind: 'int', value: 'N', summary: 'How many parents of the commit of a ref stay; -1 (default) all' },
    {
      long: 'delete-commit',
      kind: 'string',
      value: 'COMMIT',
      completes: 'rev',
      summary: 'Remove this commit, to which no ref may point',
    },
    {
      long: 'keep-younger-than',
      kind: 'string',
      value: 'DATE',
      summary: 'Remove commits older than this, but never the newest of a ref',
    },
    { long: 'static-deltas-only', kind: 'flag', summary: 'With --delete-commit: remove the static deltas to it instead' },
    {
      long: 'retain-branch-depth',
      kind: 'list',
      value: 'REF=N',
      summary: 'Keep so many parents of this ref whatever else is said',
    },
    { long: 'only-branch', kind: 'list', value: 'REF', completes: 'ref', summary: 'Only this ref loses commits' },
    { long: 'commit-only', kind: 'flag', summary: 'Remove only commit objects, not their trees' },
  ],
  examples: [
    { does: 'What would go if only the last three versions stayed?', line: 'hacktree prune --refs-only --depth=2 --dry-run' },
    { does: 'Drop what is older than a month', line: "hacktree prune --keep-younger-than='30 days ago'" },
  ],
});

export const du = command({
  id: 'du',
  area: 'repository',
  summary: 'Say how much space refs, commits and paths need',
  description: [
    'Exclusive is what would be free without it; shared is what something else needs as well. Hard links make du(1) lie about this.',
    'Without a revision all refs and commits are listed, with one the names in a directory of it.',
  ],
  usesRepo: true,
  json: true,
  args: [
    { name: 'rev', shown: 'COMMIT', completes: 'rev', summary: 'A revision whose paths to list' },
    { name: 'path', summary: 'The directory to list; default /' },
  ],
  options: [{ long: 'apparent-size', kind: 'flag', summary: 'Sizes of files, not the space that they take on disk' }],
  frontEnds: ['hacktree'],
  examples: [{ does: 'What makes this version large?', line: 'hacktree du os/stable /usr/share' }],
});

export const indexFind = command({
  id: 'index find',
  area: 'repository',
  summary: 'Find the objects, commits and paths that hold some content',
  usesRepo: true,
  json: true,
  args: [
    {
      name: 'content',
      shown: 'DIGEST|FILE',
      required: true,
      completes: 'path',
      summary: 'What sha256sum prints of a file, or a file of this machine',
    },
  ],
  options: [],
  frontEnds: ['hacktree'],
  examples: [{ does: 'Where is this very file?', line: 'hacktree index find /usr/bin/bash' }],
});

export const indexRebuild = command({
  id: 'index rebuild',
  area: 'repository',
  summary: 'Make the content index anew from the objects',
  usesRepo: true,
  json: true,
  interruptible: true,
  args: [],
  options: [THREADS],
  frontEnds: ['hacktree'],
});

export const indexCheck = command({
  id: 'index check',
  area: 'repository',
  summary: 'Compare the content index with the objects',
  usesRepo: true,
  json: true,
  interruptible: true,
  args: [],
  options: [THREADS],
  frontEnds: ['hacktree'],
});

export const indexStats = command({
  id: 'index stats',
  area: 'repository',
  summary: 'Say how large the content index is',
  usesRepo: true,
  json: true,
  args: [],
  options: [],
  frontEnds: ['hacktree'],
});

export const REPOSITORY_COMMANDS = [
  init,
  config,
  refs,
  reset,
  fsck,
  prune,
  du,
  indexFind,
  indexRebuild,
  indexStats,
  indexCheck,
] as const satisfies readonly CommandSpec[];
