/** The description of `checkout`. */
import { command } from '../spec.ts';
import { THREADS } from './options.ts';

export const checkout = command({
  id: 'checkout',
  area: 'content',
  summary: 'Place a commit as files, by hard link where possible',
  description: [
    'The destination must not exist, unless a union option is given; it appears under its name only when it is complete.',
    'Hard links need a repository of mode bare (as root), or bare-user or bare-user-only with --user-mode, on the same file system.',
  ],
  usesRepo: true,
  json: true,
  interruptible: true,
  args: [
    {
      name: 'rev',
      shown: 'COMMIT',
      required: true,
      completes: 'rev',
      summary: 'The revision (with --from-stdin and --from-file: the destination)',
    },
    { name: 'destination', completes: 'dir', summary: 'Where to; default a directory named like the revision' },
  ],
  options: [
    {
      long: 'user-mode',
      short: 'U',
      kind: 'flag',
      summary: 'Leave owners and extended attributes alone, drop setuid and setgid',
    },
    { long: 'disable-cache', kind: 'flag', summary: "Neither use nor fill an archive's cache of inflated files" },
    { long: 'subpath', kind: 'string', value: 'PATH', summary: 'Only this directory or file of the tree' },
    { long: 'union', kind: 'flag', summary: 'Fill an existing directory; existing files are overwritten' },
    { long: 'union-add', kind: 'flag', summary: 'Fill an existing directory; existing files are kept' },
    { long: 'union-identical', kind: 'flag', summary: 'Fill an existing directory; existing files must be the same' },
    { long: 'whiteouts', kind: 'flag', summary: 'Files named .wh.NAME delete NAME, as in container layers' },
    { long: 'process-passthrough-whiteouts', kind: 'flag', summary: 'Files named .ostree-wh.NAME become overlayfs whiteouts' },
    { long: 'allow-noent', kind: 'flag', summary: 'Do nothing when --subpath does not exist' },
    {
      long: 'from-stdin',
      kind: 'flag',
      summary: 'Check out many: pairs of COMMIT and PATH on standard input, each ended by NUL',
    },
    {
      long: 'from-file',
      kind: 'string',
      value: 'FILE',
      completes: 'path',
      summary: 'Check out many: the same pairs from a file',
    },
    {
      long: 'fsync',
      kind: 'boolean',
      value: 'BOOLEAN',
      summary: 'Whether to wait until the disk has everything (default false)',
    },
    {
      long: 'require-hardlinks',
      short: 'H',
      kind: 'flag',
      summary: 'Fail where a hard link is not possible, instead of copying',
    },
    { long: 'force-copy', short: 'C', kind: 'flag', summary: 'Copy all files; content is shared where the file system can' },
    { long: 'force-copy-zerosized', short: 'z', kind: 'flag', hidden: true, summary: 'Empty files are always copied' },
    { long: 'bareuseronly-dirs', short: 'M', kind: 'flag', summary: 'Limit modes of directories to 0775' },
    {
      long: 'skip-list',
      kind: 'string',
      value: 'FILE',
      completes: 'path',
      summary: 'Leave out the paths listed, one a line; a directory ends in a slash',
    },
    {
      long: 'selinux-policy',
      kind: 'string',
      value: 'DIR',
      completes: 'dir',
      summary: 'Label files by the SELinux policy below this directory; implies --force-copy',
    },
    {
      long: 'selinux-prefix',
      kind: 'string',
      value: 'PATH',
      summary: 'What the root of the checkout is called when labels are looked up',
    },
    { ...THREADS, summary: 'Threads that place files; default one per core, at most 4' },
  ],
  ostree: { missing: 'COMMIT must be specified' },
  examples: [
    { does: 'A root file system, as root', line: 'hacktree checkout os/stable /srv/root' },
    {
      does: 'The same without root, from a bare-user repository',
      line: 'hacktree checkout --user-mode --require-hardlinks os/stable root',
    },
    { does: 'A layer on top of it', line: 'hacktree checkout --union --user-mode app/stable root' },
  ],
});
