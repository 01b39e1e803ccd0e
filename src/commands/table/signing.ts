/** Commands that add, delete and check signatures of commits. */
import { type CommandSpec, command } from '../spec.ts';
import { GPG_HOMEDIR, KEYS_DIR, KEYS_FILE, SIGN_TYPE } from './options.ts';

const COMMIT = { name: 'commit', required: true, completes: 'rev', summary: 'The revision to sign' } as const;

export const gpgSign = command({
  id: 'gpg-sign',
  area: 'signing',
  summary: 'Sign a commit with GnuPG, or delete such signatures',
  usesRepo: true,
  json: true,
  args: [COMMIT, { name: 'keys', shown: 'KEY-ID', many: true, summary: 'Key IDs, fingerprints or mail addresses' }],
  options: [{ long: 'delete', short: 'd', kind: 'flag', summary: 'Delete one signature by each key instead' }, GPG_HOMEDIR],
  ostree: { missing: 'Need a COMMIT to sign' },
  examples: [{ does: 'Sign what was committed before', line: 'hacktree gpg-sign os/stable release@example.org' }],
});

export const sign = command({
  id: 'sign',
  area: 'signing',
  summary: 'Sign a commit with ed25519 keys, check or delete such signatures',
  description: [
    'To sign, KEY is a secret key: for ed25519 base64 of 64 bytes. To check or delete it is a public key: base64 of 32 bytes.',
  ],
  usesRepo: true,
  json: true,
  args: [
    { ...COMMIT, summary: 'The revision' },
    { name: 'keys', shown: 'KEY', many: true, summary: 'Keys' },
  ],
  options: [
    { long: 'delete', short: 'd', kind: 'flag', summary: 'Delete the signatures by these keys instead' },
    { long: 'verify', kind: 'flag', summary: 'Check that one of these keys has signed the commit' },
    { ...SIGN_TYPE, short: 's' },
    { ...KEYS_FILE, summary: 'Take keys from this file, one per line' },
    { ...KEYS_DIR, summary: "With --verify: directory with trusted.TYPE and revoked.TYPE instead of the system's" },
  ],
  ostree: { missing: 'Need a COMMIT to sign or verify', usage: 'COMMIT KEY-ID...' },
  examples: [
    { does: 'Sign', line: 'hacktree sign --keys-file=/root/release.secret os/stable' },
    { does: 'Check', line: 'hacktree sign --verify --keys-file=release.public os/stable' },
  ],
});

export const SIGNING_COMMANDS = [gpgSign, sign] as const satisfies readonly CommandSpec[];
