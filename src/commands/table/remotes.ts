/** Commands that configure remotes and look at what they offer. */
import { type ArgSpec, type CommandSpec, command } from '../spec.ts';
import { CACHE_DIR } from './options.ts';

const NAME = { name: 'name', required: true, completes: 'remote', summary: 'The remote' } as const satisfies ArgSpec;
const MISSING_NAME = { missing: 'NAME must be specified' } as const;

/** Scripts for image builders name the repository this way. */
const SYSROOT = {
  long: 'sysroot',
  kind: 'string',
  value: 'PATH',
  completes: 'path',
  frontEnds: ['ostree'],
  summary: 'Use the repository of this system root, ostree/repo below it',
} as const;

export const remoteAdd = command({
  id: 'remote add',
  area: 'mirror',
  summary: 'Add a remote',
  description: [
    'URL is http, https or file; mirrorlist=URL names a file that lists mirrors, metalink=URL a metalink file. Without an option that says otherwise commits must be signed by a key that the remote trusts.',
  ],
  usesRepo: true,
  args: [
    { name: 'name', required: true, summary: 'Its name, the prefix of its refs' },
    { name: 'url', shown: '[metalink=|mirrorlist=]URL', summary: 'Where it is' },
    { name: 'branches', shown: 'REF', many: true, summary: 'Refs that are pulled when none is named' },
  ],
  options: [
    { long: 'set', kind: 'list', value: 'KEY=VALUE', summary: 'Set a key of its configuration' },
    { long: 'no-gpg-verify', kind: 'flag', summary: 'Ask for no GPG signatures' },
    { long: 'no-sign-verify', kind: 'flag', summary: 'Ask for no signatures at all' },
    {
      long: 'sign-verify',
      kind: 'list',
      value: 'TYPE=inline:KEY|file:PATH',
      summary: 'Ask for signatures by this public key (ed25519, spki)',
    },
    { long: 'if-not-exists', kind: 'flag', summary: 'Leave a remote of this name as it is' },
    { long: 'force', kind: 'flag', summary: 'Replace a remote of this name' },
    { long: 'gpg-import', kind: 'string', value: 'FILE', completes: 'path', summary: 'Trust the GPG keys in this file' },
    { long: 'custom-backend', kind: 'string', value: 'NAME', summary: 'Note that another program fetches its content' },
    { long: 'contenturl', kind: 'string', value: 'URL', summary: 'Fetch file objects there instead' },
    { long: 'collection-id', kind: 'string', value: 'ID', summary: 'Expect commits of this collection' },
    SYSROOT,
  ],
  ostree: { missing: 'NAME and URL must be specified' },
  examples: [
    {
      does: 'A mirror whose commits need a signature',
      line: 'hacktree remote add --gpg-import=key.asc os https://example.org/os os/stable',
    },
    { does: 'One on a trusted network', line: 'hacktree remote add --no-gpg-verify lab http://192.168.1.2:8080' },
  ],
});

export const remoteDelete = command({
  id: 'remote delete',
  area: 'mirror',
  summary: 'Delete a remote and its keys; its refs stay',
  usesRepo: true,
  args: [NAME],
  options: [{ long: 'if-exists', kind: 'flag', summary: 'Say nothing when there is none' }, SYSROOT],
  ostree: MISSING_NAME,
});

export const remoteShowUrl = command({
  id: 'remote show-url',
  area: 'mirror',
  summary: 'Print the URL of a remote',
  usesRepo: true,
  json: true,
  args: [NAME],
  options: [],
  ostree: MISSING_NAME,
});

export const remoteList = command({
  id: 'remote list',
  area: 'mirror',
  summary: 'List remotes',
  usesRepo: true,
  json: true,
  args: [],
  options: [{ long: 'show-urls', short: 'u', kind: 'flag', summary: 'Print their URLs too' }],
});

export const remoteGpgImport = command({
  id: 'remote gpg-import',
  area: 'mirror',
  summary: 'Trust GPG keys for a remote',
  description: ["Without --keyring and --stdin the keys come from the user's own GnuPG keyring."],
  usesRepo: true,
  json: true,
  args: [NAME, { name: 'keys', shown: 'KEYID', many: true, summary: 'Import only these keys' }],
  options: [
    { long: 'keyring', short: 'k', kind: 'list', value: 'FILE', completes: 'path', summary: 'Read keys from this file' },
    { long: 'stdin', kind: 'flag', summary: 'Read keys from standard input' },
  ],
  ostree: MISSING_NAME,
});

export const remoteGpgListKeys = command({
  id: 'remote gpg-list-keys',
  area: 'mirror',
  summary: 'Show the GPG keys that a remote trusts',
  usesRepo: true,
  json: true,
  args: [{ ...NAME, required: false, summary: "The remote; without one the system's keys" }],
  options: [],
});

/** The same under the name that some scripts use. */
export const remoteListGpgKeys = command({ ...remoteGpgListKeys, id: 'remote list-gpg-keys', hidden: true });

const DOMAIN = { name: 'domain', required: true, summary: 'The host; with a dot in front all below it' } as const;
const PATH = { name: 'path', required: true, summary: 'Paths it is sent for begin with this' } as const;
const COOKIE = { name: 'cookie', shown: 'COOKIE_NAME', required: true, summary: 'Its name' } as const;

export const remoteAddCookie = command({
  id: 'remote add-cookie',
  area: 'mirror',
  summary: 'Send a cookie to a remote',
  usesRepo: true,
  args: [NAME, DOMAIN, PATH, COOKIE, { name: 'value', required: true, summary: 'Its value' }],
  options: [],
  ostree: { missing: 'NAME, DOMAIN, PATH, COOKIE_NAME and VALUE must be specified' },
});

export const remoteDeleteCookie = command({
  id: 'remote delete-cookie',
  area: 'mirror',
  summary: 'Forget a cookie of a remote',
  usesRepo: true,
  args: [NAME, DOMAIN, PATH, COOKIE],
  options: [],
  ostree: { missing: 'NAME, DOMAIN, PATH and COOKIE_NAME must be specified' },
});

export const remoteListCookies = command({
  id: 'remote list-cookies',
  area: 'mirror',
  summary: 'List the cookies of a remote',
  usesRepo: true,
  json: true,
  args: [NAME],
  options: [],
  ostree: MISSING_NAME,
});

export const remoteRefs = command({
  id: 'remote refs',
  area: 'mirror',
  summary: 'List the refs that a remote offers',
  usesRepo: true,
  json: true,
  interruptible: true,
  args: [NAME],
  options: [CACHE_DIR, { long: 'revision', short: 'r', kind: 'flag', summary: 'Print the commit of each ref too' }],
  ostree: MISSING_NAME,
});

export const remoteSummary = command({
  id: 'remote summary',
  area: 'mirror',
  summary: 'Print the summary of a remote',
  usesRepo: true,
  json: true,
  interruptible: true,
  args: [NAME],
  options: [
    CACHE_DIR,
    { long: 'raw', kind: 'flag', summary: 'Print it as GVariant text' },
    { long: 'list-metadata-keys', kind: 'flag', summary: 'Print the keys of its metadata' },
    { long: 'print-metadata-key', kind: 'string', value: 'KEY', summary: 'Print one value of its metadata' },
  ],
  ostree: MISSING_NAME,
});

export const REMOTE_COMMANDS = [
  remoteAdd,
  remoteDelete,
  remoteShowUrl,
  remoteList,
  remoteRefs,
  remoteSummary,
  remoteGpgImport,
  remoteGpgListKeys,
  remoteListGpgKeys,
  remoteAddCookie,
  remoteDeleteCookie,
  remoteListCookies,
] as const satisfies readonly CommandSpec[];
