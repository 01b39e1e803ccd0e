/** Commands that bring commits from mirrors and repositories, and that make a repository one. */
import { type CommandSpec, command, type OptionSpec } from '../spec.ts';
import { CACHE_DIR, SIGN_WITH, THREADS } from './options.ts';

/** What pull and pull-local both take. */
const COMMON = [
  { long: 'commit-metadata-only', kind: 'flag', summary: 'Fetch only commits, no trees' },
  { long: 'disable-fsync', kind: 'flag', summary: 'Do not flush to the device' },
  { long: 'per-object-fsync', kind: 'flag', summary: 'Flush each object as it is written, not all at the end' },
  { long: 'untrusted', kind: 'flag', summary: 'Verify and copy objects of this machine, do not link them' },
  { long: 'bareuseronly-files', kind: 'flag', summary: 'Refuse files that are setuid, setgid or writable for others' },
  { long: 'disable-static-deltas', kind: 'flag', summary: 'Use no static deltas' },
  { long: 'require-static-deltas', kind: 'flag', summary: 'Fail where there is no static delta' },
  { long: 'disable-verify-bindings', kind: 'flag', summary: 'Accept commits that were made for other refs' },
  { long: 'depth', kind: 'int', value: 'N', summary: 'Fetch this many parents too; -1 all (default 0)' },
  THREADS,
] as const satisfies readonly OptionSpec[];

/** What only few need; all of it has sensible defaults. */
const NETWORK = [
  { long: 'url', kind: 'string', value: 'URL', summary: "Fetch from here instead of the remote's URL" },
  { long: 'http-header', kind: 'list', value: 'NAME=VALUE', summary: 'Send this header with each request' },
  { long: 'http-trusted', kind: 'flag', summary: 'Accepted for scripts; everything is verified all the same' },
  { long: 'append-user-agent', kind: 'string', value: 'TEXT', hidden: true, summary: 'Add this to the user agent' },
  { long: 'update-frequency', kind: 'int', value: 'MS', summary: 'Show progress that often (default 100 ms on a terminal)' },
  { long: 'network-retries', kind: 'int', value: 'N', summary: 'Try each request this often again (default 5)' },
  { long: 'disable-retry-on-network-errors', kind: 'flag', summary: 'Try each request once' },
  { long: 'low-speed-limit-bytes', kind: 'int', value: 'N', summary: 'Slow is below so many bytes a second (default 1000)' },
  {
    long: 'low-speed-time-seconds',
    kind: 'int',
    value: 'N',
    summary: 'Give up when it stays slow for so many seconds (default 30)',
  },
  { long: 'max-outstanding-fetcher-requests', kind: 'int', value: 'N', summary: 'Requests under way at once (default 8)' },
] as const satisfies readonly OptionSpec[];

export const pull = command({
  id: 'pull',
  area: 'mirror',
  summary: 'Fetch refs of a remote with all they need',
  description: [
    'REF is a ref, REF@CHECKSUM or CHECKSUM; without one the refs that the remote is configured with, with --mirror all of them. REMOTE:REF does too.',
    'Everything is verified before it gets its name, refs move last. An interrupted pull is continued by the next one.',
    "Proxies come from http_proxy, https_proxy and no_proxy, passwords from the user's netrc.",
  ],
  usesRepo: true,
  json: true,
  interruptible: true,
  args: [
    { name: 'remote', required: true, completes: 'remote', summary: 'The remote' },
    { name: 'refs', shown: 'REF', many: true, summary: 'What to fetch' },
  ],
  options: [
    { long: 'mirror', kind: 'flag', summary: 'Write plain refs, and with all refs the summary too' },
    {
      long: 'content-index',
      kind: 'boolean',
      value: 'BOOLEAN',
      frontEnds: ['hacktree'],
      summary: 'With --mirror into an archive: write the content index for clients; default where the source has one',
    },
    { long: 'subpath', kind: 'list', value: 'PATH', summary: 'Fetch only this part of the tree; the commit stays partial' },
    { long: 'dry-run', kind: 'flag', summary: 'Say what would be fetched; files stay where they are' },
    ...COMMON,
    { long: 'timestamp-check', short: 'T', kind: 'flag', summary: 'Refuse a commit or summary older than the present one' },
    {
      long: 'timestamp-check-from-rev',
      kind: 'string',
      value: 'REV',
      completes: 'rev',
      summary: 'Refuse a commit older than this one',
    },
    {
      long: 'localcache-repo',
      short: 'L',
      kind: 'list',
      value: 'REPO',
      completes: 'dir',
      summary: 'Take objects from this repository if it has them',
    },
    CACHE_DIR,
    ...NETWORK,
  ],
  ostree: { missing: 'REMOTE must be specified' },
  examples: [
    { does: 'The newest version of a ref', line: 'hacktree pull os os/stable' },
    { does: 'A full mirror', line: 'hacktree pull --repo=/srv/mirror --mirror --depth=-1 os' },
    { does: 'What an update would cost', line: 'hacktree pull --dry-run os os/stable' },
  ],
});

export const pullLocal = command({
  id: 'pull-local',
  area: 'mirror',
  summary: 'Copy refs with all they need from a repository on this machine',
  description: [
    'Objects are linked where both repositories have one mode and file system, else copied or converted. Without a REF all refs.',
  ],
  usesRepo: true,
  json: true,
  interruptible: true,
  args: [
    { name: 'source', shown: 'SRC_REPO', required: true, completes: 'dir', summary: 'The repository to copy from' },
    { name: 'refs', shown: 'REF', many: true, summary: 'What to copy' },
  ],
  options: [
    { long: 'remote', kind: 'string', value: 'REMOTE', completes: 'remote', summary: 'Write refs as those of this remote' },
    ...COMMON,
    { long: 'gpg-verify', kind: 'flag', summary: 'Require GPG signatures of commits (with --remote)' },
    { long: 'gpg-verify-summary', kind: 'flag', summary: 'Require a GPG signature of the summary (with --remote)' },
  ],
  ostree: { missing: 'DESTINATION must be specified' },
  examples: [
    {
      does: 'A repository to serve, from one to work with',
      line: 'hacktree pull-local --repo=/srv/os /var/lib/build/repo os/stable',
    },
  ],
});

export const summary = command({
  id: 'summary',
  area: 'mirror',
  summary: 'Write or show the summary, by which clients find what a mirror offers',
  description: [
    "In an archive repository -u also writes the mirror's content index, by which clients need not download content that they have, and packs of small files, which spare them requests (docs/mirrors.md).",
  ],
  usesRepo: true,
  json: true,
  args: [],
  options: [
    { long: 'update', short: 'u', kind: 'flag', summary: 'Write it from the refs and static deltas there are' },
    { long: 'view', short: 'v', kind: 'flag', summary: 'Show it' },
    { long: 'raw', kind: 'flag', summary: 'Show it as GVariant text' },
    { long: 'list-metadata-keys', kind: 'flag', summary: 'Print the keys of its metadata' },
    { long: 'print-metadata-key', kind: 'string', value: 'KEY', summary: 'Print one value of its metadata' },
    { long: 'add-metadata', short: 'm', kind: 'list', value: 'KEY=VALUE', summary: 'Add a value in GVariant text format' },
    ...SIGN_WITH,
    {
      long: 'no-content-index',
      kind: 'flag',
      frontEnds: ['hacktree'],
      summary: 'Leave the content index of the mirror as it is',
    },
  ],
  examples: [{ does: 'After new commits', line: 'hacktree summary --repo=/srv/os -u' }],
});

export const serve = command({
  id: 'serve',
  area: 'mirror',
  summary: 'Serve the repository over HTTP, read-only, until stopped',
  description: [
    'For trying out and for a LAN; docs/mirrors.md shows how a web server does it. With --verbose each request is shown.',
  ],
  frontEnds: ['hacktree'],
  usesRepo: true,
  interruptible: true,
  args: [],
  options: [
    {
      long: 'listen',
      kind: 'string',
      value: 'HOST:PORT',
      summary: 'Where to listen (default 127.0.0.1:8080); port 0 takes a free one',
    },
  ],
  examples: [{ does: 'For the local network', line: 'hacktree serve --repo=/srv/os --listen=0.0.0.0:8080' }],
});

export const MIRROR_COMMANDS = [pull, pullLocal, summary, serve] as const satisfies readonly CommandSpec[];
