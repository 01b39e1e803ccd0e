/**
 * Signatures against ostree and GnuPG, both ways: what hacktree signs they accept, and what they sign hacktree verifies;
 * every verdict is printed exactly as `ostree show` prints it.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeDict, encodeDict } from '../../src/format/index.ts';
import {
  addSignatures,
  checkDummy,
  checkGpg,
  importKeys,
  listGpgKeys,
  listSignatures,
  printKeyListing,
  printKeyring,
  printVerdicts,
  readKeyring,
  setSignatures,
  signDummy,
  signGpg,
} from '../../src/sign/index.ts';
import { runProcess } from '../../src/sys/index.ts';
import { type GpgHome, makeGpgHome } from '../helpers/gpg-home.ts';
import { requireTool } from '../helpers/run.ts';

const IN_2020 = '--faked-system-time=20200101T000000';
/** After the keys were made, whatever the clock says. */
let nowSec: number;

const withTools = requireTool('ostree', 'gpg') ? describe : describe.skip;

let gnupg: GpgHome;
let work: string;
let repo: string;
let commit: string;
const keys: Record<string, string> = {};

const ostree = (...args: string[]): string =>
  execFileSync('ostree', [`--repo=${repo}`, ...args], {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC', GNUPGHOME: gnupg.dir, OSTREE_DUMMY_SIGN_ENABLED: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
const run = (program: string, args: readonly string[], input: Uint8Array) => runProcess(program, args, { input });

const objectFile = (extension: string): string =>
  path.join(repo, 'objects', commit.slice(0, 2), `${commit.slice(2)}.${extension}`);
const commitBytes = (): Buffer => fs.readFileSync(objectFile('commit'));
const signaturesOf = (kind: 'gpg' | 'dummy') => listSignatures(decodeDict(fs.readFileSync(objectFile('commitmeta'))), kind);

/** What `ostree show` says of the signatures in the commitmeta, by the keyring of the remote. */
const shown = (): string => {
  const text = ostree('show', '--gpg-verify-remote=origin', commit);
  return text.slice(text.indexOf('Found '));
};
const setGpg = (signatures: readonly Uint8Array[]): void =>
  fs.writeFileSync(objectFile('commitmeta'), encodeDict(setSignatures([], 'gpg', signatures)));

/** What hacktree says of the same, by the same keyring file. */
async function ours(): Promise<string> {
  const keyring = readKeyring(fs.readFileSync(path.join(repo, 'origin.trustedkeys.gpg')));
  return printVerdicts(await checkGpg(commitBytes(), signaturesOf('gpg'), { keys: keyring, nowSec }), nowSec);
}

const gpgSign = (key: string, ...settings: string[]): Buffer =>
  gnupg.gpg([...settings, '--local-user', keys[key] as string, '--detach-sign'], commitBytes());

function setUp(): void {
  gnupg = makeGpgHome();
  work = fs.mkdtempSync(path.join(os.tmpdir(), 'hacktree-sign-'));
  repo = path.join(work, 'repo');
  fs.mkdirSync(path.join(work, 'tree'));
  fs.writeFileSync(path.join(work, 'tree/a'), 'hello\n');
  ostree('init', '--mode=archive');
  commit = ostree('commit', '--branch=main', path.join(work, 'tree')).trim();
  keys.alice = gnupg.makeKey('Alice (test) <alice@example.com>', 'rsa2048', 'sign', 'never');
  keys.bob = gnupg.makeKey('Bob <Bob@Example.COM>', 'ed25519', 'sign', '2y');
  keys.nist = gnupg.makeKey('nist@example.com', 'nistp256', 'sign', 'never');
  keys.sub = gnupg.makeKey('Sub <sub@example.com>', 'ed25519', 'cert', '3y');
  gnupg.gpg(['--quick-add-key', keys.sub, 'ed25519', 'sign', '1y']);
  keys.old = gnupg.makeKey('Old <old@example.com>', IN_2020, 'ed25519', 'sign', '2020-06-01');
  keys.ancient = gnupg.makeKey('Ancient <ancient@example.com>', IN_2020, 'ed25519', 'sign', 'never');
  keys.revoked = gnupg.makeKey('Gone <gone@example.com>', 'ed25519', 'sign', 'never');
  keys.unknown = gnupg.makeKey('Unknown <unknown@example.com>', 'ed25519', 'sign', 'never');
  nowSec = Math.floor(Date.now() / 1000) + 1;
}

/** Revokes the key called `revoked`, by the certificate that GnuPG made with it. */
function revoke(): void {
  const file = path.join(gnupg.dir, 'openpgp-revocs.d', `${keys.revoked}.rev`);
  gnupg.gpg(['--import'], fs.readFileSync(file, 'utf8').replace(/^:---/m, '---'));
}

/** Everything but the unknown key, as a file. */
function exportRing(): string {
  const file = path.join(work, 'ring.gpg');
  const names = Object.keys(keys).filter((name) => name !== 'unknown');
  fs.writeFileSync(file, gnupg.gpg(['--export', ...names.map((name) => keys[name] as string)]));
  return file;
}

withTools('signatures', () => {
  beforeAll(setUp, 120_000);

  afterAll(() => {
    gnupg.remove();
    fs.rmSync(work, { recursive: true, force: true });
  });

  describe('GPG signatures', () => {
    let crafted: Record<string, Buffer>;

    beforeAll(() => {
      crafted = {
        rsa: gpgSign('alice'),
        'expiring key': gpgSign('bob'),
        ecdsa: gpgSign('nist'),
        subkey: gpgSign('sub'),
        text: gpgSign('alice', '--textmode'),
        'expiring signature': gpgSign('alice', '--default-sig-expire=20d'),
        'expired key': gpgSign('old', IN_2020),
        'expired signature': gpgSign('ancient', IN_2020, '--default-sig-expire=10d'),
        'revoked key': gpgSign('revoked'),
        'unknown key': gpgSign('unknown'),
        'other bytes': gnupg.gpg(['--local-user', keys.alice as string, '--detach-sign'], 'other bytes'),
      };
      revoke();
      ostree('remote', 'add', 'origin', 'http://example.com', `--gpg-import=${exportRing()}`);
    });

    it('are judged one by one as ostree judges them', async () => {
      for (const [name, signature] of Object.entries(crafted)) {
        setGpg([signature]);
        expect(`${name}: ${await ours()}`).toBe(`${name}: ${shown()}`);
      }
    });

    it('are judged together as ostree judges them', async () => {
      setGpg(['rsa', 'revoked key', 'subkey', 'expired key', 'ecdsa', 'unknown key'].map((name) => crafted[name] as Buffer));
      expect(await ours()).toBe(shown());
    });

    it('made by `ostree gpg-sign` are good here', async () => {
      setGpg([]);
      ostree('gpg-sign', `--gpg-homedir=${gnupg.dir}`, 'main', keys.alice as string, keys.bob as string);
      const verdicts = await checkGpg(commitBytes(), signaturesOf('gpg'), { keys: readKeyring(gnupg.gpg(['--export'])), nowSec });
      expect(verdicts.map(({ status, fingerprint }) => [status, fingerprint])).toEqual([
        ['good', keys.alice],
        ['good', keys.bob],
      ]);
      expect(await ours()).toBe(shown());
    });

    it('made here let ostree pull, and unknown ones do not', async () => {
      const clone = path.join(work, 'clone');
      const pull = (): string => ostree(`--repo=${clone}`, 'pull', 'from', 'main');
      ostree(`--repo=${clone}`, 'init', '--mode=archive');
      ostree(`--repo=${clone}`, 'remote', 'add', 'from', `file://${repo}`, `--gpg-import=${exportRing()}`);
      const sign = async (key: string): Promise<Buffer> =>
        signGpg(run, commitBytes(), { keyId: keys[key] as string, homedir: gnupg.dir });
      setGpg([await sign('unknown')]);
      expect(pull).toThrow(/public key not found/);
      const metadata = decodeDict(fs.readFileSync(objectFile('commitmeta')));
      fs.writeFileSync(objectFile('commitmeta'), encodeDict(addSignatures(metadata, 'gpg', [await sign('alice')])));
      pull();
      expect(ostree(`--repo=${clone}`, 'rev-parse', 'from:main').trim()).toBe(commit);
    });

    it('cannot be made without the key', async () => {
      const missing = signGpg(run, commitBytes(), { keyId: 'DEADBEEFDEADBEEF', homedir: gnupg.dir });
      await expect(missing).rejects.toMatchObject({ code: 'key-invalid', message: expect.stringContaining('DEADBEEFDEADBEEF') });
    });
  });

  describe('keyrings', () => {
    const keyringFile = (remote: string): string => path.join(repo, `${remote}.trustedkeys.gpg`);

    it('that ostree wrote are read, and listed as it lists them', async () => {
      ostree('remote', 'add', 'listed', 'http://example.com', `--gpg-import=${exportRing()}`);
      const listing = printKeyListing(await listGpgKeys(readKeyring(fs.readFileSync(keyringFile('listed'))), nowSec));
      expect(listing).toBe(ostree('remote', 'gpg-list-keys', 'listed'));
      expect(listing).toContain('Gone <gone@example.com> (revoked)');
    });

    it('that hacktree merged are used by ostree', async () => {
      ostree('remote', 'add', 'merged', 'http://example.com');
      const first = importKeys([], readKeyring(gnupg.gpg(['--armor', '--export', keys.alice as string])));
      const second = importKeys(first.blocks, readKeyring(fs.readFileSync(path.join(gnupg.dir, 'pubring.kbx'))));
      expect([first.imported, second.imported]).toEqual([1, Object.keys(keys).length - 1]);
      fs.writeFileSync(keyringFile('merged'), printKeyring(second.blocks));
      expect(printKeyListing(await listGpgKeys(second.blocks, nowSec))).toBe(ostree('remote', 'gpg-list-keys', 'merged'));
      setGpg([gpgSign('nist')]);
      expect(ostree('show', '--gpg-verify-remote=merged', commit)).toContain('Good signature from " <nist@example.com>"');
    });

    it('count imported keys as ostree counts them', () => {
      const file = path.join(work, 'import.gpg');
      let blocks = importKeys([], readKeyring(gnupg.gpg(['--export', keys.alice as string]))).blocks;
      fs.writeFileSync(file, printKeyring(blocks));
      ostree('remote', 'add', 'counted', 'http://example.com', `--gpg-import=${file}`);
      for (const names of [['alice'], ['alice', 'bob'], ['bob', 'nist', 'sub']]) {
        fs.writeFileSync(file, gnupg.gpg(['--export', ...names.map((name) => keys[name] as string)]));
        const result = importKeys(blocks, readKeyring(fs.readFileSync(file)));
        blocks = [...result.blocks];
        const said = ostree('remote', 'gpg-import', 'counted', `--keyring=${file}`);
        expect(said).toMatch(new RegExp(`^Imported ${result.imported} GPG key`));
      }
    });
  });

  describe('dummy signatures', () => {
    it('are understood both ways', () => {
      setGpg([]);
      fs.writeFileSync(objectFile('commitmeta'), encodeDict(addSignatures([], 'dummy', [signDummy('OURS', { enabled: true })])));
      expect(ostree('sign', '--sign-type=dummy', '--verify', 'main', 'OURS')).toContain('dummy: Signature verified');
      ostree('sign', '--sign-type=dummy', 'main', 'THEIRS');
      const statuses = checkDummy(signaturesOf('dummy'), ['THEIRS'], { enabled: true }).map(({ status }) => status);
      expect(statuses).toEqual(['key-missing', 'good']);
    });

    it('leave the same bytes as ostree, with other signatures and metadata around', () => {
      const before = fs.readFileSync(objectFile('commitmeta'));
      ostree('sign', '--sign-type=dummy', 'main', 'MORE');
      expect(encodeDict(addSignatures(decodeDict(before), 'dummy', [Buffer.from('MORE')]))).toEqual(
        fs.readFileSync(objectFile('commitmeta')),
      );
    });
  });
});
