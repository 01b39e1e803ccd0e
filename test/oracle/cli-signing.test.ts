/**
 * `gpg-sign`, `sign`, signing commits and what `show` says of signatures, beside the real ostree. It has no ed25519: those
 * signatures are checked with node's cryptography.
 */
import { createPublicKey, verify } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeDict, encodeDict } from '../../src/format/index.ts';
import { listSignatures, setSignatures } from '../../src/sign/index.ts';
import { makeEd25519Keys } from '../helpers/ed25519-keys.ts';
import { fixtureDir } from '../helpers/fixture.ts';
import { both, dropIn, type Outcome } from '../helpers/front-ends.ts';
import { type GpgHome, makeGpgHome } from '../helpers/gpg-home.ts';
import { initOstreeRepo, ostree, ostreeCommit } from '../helpers/oracle.ts';
import { hacktree, requireTool, run } from '../helpers/run.ts';
import { compareSides, copySides } from '../helpers/side-by-side.ts';

const isReady = requireTool('ostree', 'gpg');
const withTools = isReady ? it : it.skip;
const base = fixtureDir();
const start = join(base, 'start');
const repo = join(start, 'r');
let env: Record<string, string>;
let gnupg: GpgHome;
let alice: string;
let bob: string;
let carol: string;

/** A repository with one commit and a remote `keys` that trusts Alice and Bob; Carol's key is expired by now. */
beforeAll(() => {
  mkdirSync(join(start, 'tree'), { recursive: true });
  writeFileSync(join(start, 'tree/file'), 'content\n');
  initOstreeRepo(repo, 'archive');
  ostreeCommit(repo, join(start, 'tree'));
  if (!isReady) return;
  gnupg = makeGpgHome();
  alice = gnupg.makeKey('Alice <alice@example.com>', 'rsa2048', 'sign', 'never');
  bob = gnupg.makeKey('Bob <bob@example.com>', 'ed25519', 'sign', 'never');
  carol = gnupg.makeKey('Carol <carol@example.com>', '--faked-system-time=20200101T000000', 'rsa2048', 'sign', '10d');
  const ring = join(base, 'ring.gpg');
  writeFileSync(ring, gnupg.gpg(['--export']));
  ostree(repo, 'remote', 'add', 'keys', 'http://nowhere.example');
  ostree(repo, 'remote', 'gpg-import', 'keys', `--keyring=${ring}`);
  env = { TZ: 'UTC', GNUPGHOME: gnupg.dir, OSTREE_DUMMY_SIGN_ENABLED: '1' };
});

afterAll(() => gnupg?.remove());

const compare = (...args: string[]): Outcome => compareSides(args, { start, env, names: ['r'] });
const GPG = (): string => `--gpg-homedir=${gnupg.dir}`;

describe('GPG', () => {
  withTools('shows the same of what either signed', () => {
    const sides = copySides(start);
    const line = ['--repo=r', 'gpg-sign', GPG(), 'main', alice, 'bob@example.com'];
    expect(dropIn(line, { cwd: sides.ours, env })).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(run('ostree', line, { cwd: sides.real, env }).status).toBe(0);
    for (const dir of Object.values(sides)) {
      for (const args of [[], ['--gpg-verify-remote=keys'], ['--raw']]) {
        const [ours, real] = both(['--repo=r', 'show', ...args, 'main'], { ours: dir, real: dir }, { env });
        expect(ours).toEqual(real);
        expect(ours.stdout).toMatch(/Found 2 signatures:\n\n.*RSA.*\n {2}Good signature from "Alice <alice@example.com>"\n\n/);
        expect(ours.stdout).toMatch(/EdDSA.*\n {2}Good signature from "Bob <bob@example.com>"\n$/);
      }
    }
    const shown = hacktree(['log', '--repo=r', 'main'], { cwd: sides.real, env });
    expect(shown.stdout).toContain('Good signature from "Bob <bob@example.com>"');
  });

  withTools('shows expired, revoked and unknown keys', () => {
    const sides = copySides(start);
    const at = join(sides.real, 'r');
    const bytes = readFileSync(objectFile(at, 'commit'));
    const dave = gnupg.makeKey('Dave <dave@example.com>', 'ed25519', 'sign', 'never');
    const signatures = [
      gnupg.gpg(['--faked-system-time=20200102T000000', '--local-user', carol, '--output=-', '--detach-sign'], bytes),
      gnupg.gpg(['--local-user', dave, '--output=-', '--detach-sign'], bytes),
      gnupg.gpg(['--local-user', bob, '--output=-', '--detach-sign'], Buffer.from('other bytes')),
    ];
    writeFileSync(objectFile(at, 'commitmeta'), encodeDict(setSignatures([], 'gpg', signatures)));
    const shown = (): string => {
      const [ours, real] = both(['--repo=r', 'show', 'main'], { ours: sides.real, real: sides.real }, { env });
      expect(ours).toEqual(real);
      return ours.stdout;
    };
    const unknown = shown();
    expect(unknown).toContain('Key expired Sat Jan 11 00:00:00 2020');
    expect(unknown).toContain("Can't check signature: public key not found");
    expect(unknown).toContain('BAD signature from "Bob <bob@example.com>"');
    const certificate = readFileSync(join(gnupg.dir, 'openpgp-revocs.d', `${dave}.rev`), 'utf8').replace(':-----', '-----');
    gnupg.gpg(['--import'], certificate);
    writeFileSync(join(at, 'keys.trustedkeys.gpg'), gnupg.gpg(['--export']));
    expect(shown()).toContain('Key revoked');
  });

  withTools('takes the keys of a home directory and of OSTREE_GPG_HOME', () => {
    const sides = copySides(start);
    const ring = join(base, 'home');
    mkdirSync(ring);
    copyFileSync(join(base, 'ring.gpg'), join(ring, 'pubring.gpg'));
    run('ostree', ['--repo=r', 'gpg-sign', GPG(), 'main', bob], { cwd: sides.real, env });
    run('ostree', ['--repo=r', 'remote', 'delete', 'keys'], { cwd: sides.real });
    const place = { ours: sides.real, real: sides.real };
    for (const [args, extra, says] of [
      [[], {}, 'public key not found'],
      [[`--gpg-homedir=${ring}`], {}, 'Good signature'],
      [[], { OSTREE_GPG_HOME: ring }, 'Good signature'],
    ] as const) {
      const [ours, real] = both(['--repo=r', 'show', ...args, 'main'], place, { env: { ...env, ...extra } });
      expect(ours).toEqual(real);
      expect(ours.stdout).toContain(says);
    }
    const again = both(['--repo=r', 'gpg-sign', `--gpg-homedir=${ring}`, 'main', bob], place, { env });
    expect(again[0]).toEqual(again[1]);
    expect(again[0].message).toBe(`error: Commit is already signed with GPG key ${bob}`);
  });

  withTools('deletes signatures by key', () => {
    const sides = copySides(start);
    const signed = run('ostree', ['--repo=r', 'gpg-sign', GPG(), 'main', alice, bob, alice], { cwd: sides.real, env });
    expect(signed.status).toBe(0);
    copyFileSync(objectFile(join(sides.real, 'r'), 'commitmeta'), objectFile(join(sides.ours, 'r'), 'commitmeta'));
    for (const ids of [['nobody'], [bob.slice(-16)], [bob], ['alice@example.com'], [alice.slice(-8), bob], [alice]]) {
      const [ours, real] = both(['--repo=r', 'gpg-sign', '-d', 'main', ...ids], sides, { env });
      expect([ids, ours]).toEqual([ids, real]);
      const [left, right] = both(['--repo=r', 'show', 'main'], sides, { env });
      expect(left).toEqual(right);
    }
    expect(readFileSync(objectFile(join(sides.ours, 'r'), 'commitmeta')).length).toBe(0);
  });

  withTools('complains as ostree does', () => {
    for (const args of [
      ['gpg-sign'],
      ['gpg-sign', 'main'],
      ['gpg-sign', '-d', 'main'],
      ['gpg-sign', 'nothing', alice],
      ['gpg-sign', GPG(), 'main', 'A'.repeat(40)],
      ['gpg-sign', GPG(), 'main', 'nobody@example.com'],
      ['show', '--gpg-verify-remote=nothing', 'main'],
      ['commit', '-b', 'x', 'tree', GPG(), '--gpg-sign=nobody@example.com'],
      ['gpg-sign', '-d', 'main', alice],
    ]) {
      compare(...args);
    }
  });

  withTools('signs while committing, and ostree pulls with verification', () => {
    const sides = copySides(start);
    const line = ['--repo=r', 'commit', '-b', 'signed', GPG(), `--gpg-sign=${bob}`, `--gpg-sign=${alice}`, 'tree'];
    expect(dropIn(line, { cwd: sides.ours, env }).status).toBe(0);
    const client = join(sides.ours, 'client');
    initOstreeRepo(client, 'bare-user');
    ostree(client, 'remote', 'add', `--gpg-import=${join(base, 'ring.gpg')}`, 'origin', `file://${join(sides.ours, 'r')}`);
    ostree(client, 'pull', 'origin', 'signed');
    const unsigned = run('ostree', [`--repo=${client}`, 'pull', 'origin', 'main']);
    expect([unsigned.status, unsigned.stderr]).toEqual([1, expect.stringContaining('no signatures found')]);
    expect(ostree(client, 'show', 'origin:signed')).toMatch(/Found 2 signatures:(.|\n)*Good signature from "Alice/);
  });
});

describe('other keys', () => {
  withTools.each([
    [['sign', 'main']],
    [['sign']],
    [['sign', '-s', 'dummy', 'main', 'K1', 'K2']],
    [['sign', '--sign-type=dummy', '--verify', 'main', 'K1']],
    [['sign', '-s', 'dummy', 'nothing', 'K1']],
    [['sign', '-s', 'nothing', 'main', 'K1']],
    [['commit', '-b', 'x', '--timestamp=@1700000000', '--sign-type=dummy', '--sign=K1', '--sign=K2', 'tree']],
  ])('%j', (args) => {
    compare(...args);
  });

  withTools('verifies and deletes what ostree signed', () => {
    const sides = copySides(start);
    const real = { real: sides.real, ours: sides.real };
    run('ostree', ['--repo=r', 'sign', '-s', 'dummy', 'main', 'K1', 'K2'], { cwd: sides.real, env });
    for (const keys of [['K1'], ['K3', 'K2'], ['K3']]) {
      const [ours, theirs] = both(['--repo=r', 'sign', '-s', 'dummy', '--verify', 'main', ...keys], real, { env });
      expect([keys, ours]).toEqual([keys, theirs]);
    }
    expect(dropIn(['--repo=r', 'sign', '-s', 'dummy', '-d', 'main', 'K1'], { cwd: sides.real, env }).status).toBe(0);
    const verified = (key: string): number =>
      run('ostree', ['--repo=r', 'sign', '-s', 'dummy', '--verify', 'main', key], { cwd: sides.real, env }).status;
    expect(['K1', 'K2'].map(verified)).toEqual([1, 0]);
    const without = both(['--repo=r', 'sign', '-s', 'dummy', 'main', 'K9'], real, {
      env: { OSTREE_DUMMY_SIGN_ENABLED: undefined },
    });
    expect(without[0]).toEqual(without[1]);
  });

  it('signs with ed25519: arguments, files, while committing; node agrees', () => {
    const sides = copySides(start);
    const [one, two, other] = [makeEd25519Keys(), makeEd25519Keys(), makeEd25519Keys()];
    writeFileSync(join(sides.ours, 'secrets'), `${one.secret}\n${two.secret}\n`);
    writeFileSync(join(sides.ours, 'publics'), `${other.public}\n${two.public}\n`);
    const say = (...args: string[]): { status: number; stdout: string } => dropIn(['--repo=r', ...args], { cwd: sides.ours });
    expect(say('sign', 'main', '--keys-file=secrets').status).toBe(0);
    expect(say('commit', '-b', 'second', `--sign=${one.secret}`, 'tree').status).toBe(0);
    expect(say('sign', 'second', two.secret).status).toBe(0);
    for (const rev of ['main', 'second']) {
      const signatures = signaturesOf(join(sides.ours, 'r'), rev);
      const bytes = readFileSync(objectFile(join(sides.ours, 'r'), 'commit', rev));
      expect(signatures.map((signature, i) => verifies(i === 0 ? one.public : two.public, bytes, signature))).toEqual([
        true,
        true,
      ]);
      const hex = Buffer.from(two.public, 'base64').toString('hex');
      expect(say('sign', '--verify', rev, two.public).stdout).toBe(
        `ed25519: Signature verified successfully with key '${hex}'\n`,
      );
      expect(say('sign', '--verify', '--keys-file=publics', rev).status).toBe(0);
      expect(say('sign', '--verify', rev, other.public).status).toBe(1);
    }
    mkdirSync(join(sides.ours, 'keys/trusted.ed25519.d'), { recursive: true });
    writeFileSync(join(sides.ours, 'keys/trusted.ed25519.d/one'), `${one.public}\n`);
    expect(say('sign', '--verify', '--keys-dir=keys', 'main').status).toBe(0);
    writeFileSync(join(sides.ours, 'keys/revoked.ed25519'), `${one.public}\n`);
    expect(say('sign', '--verify', '--keys-dir=keys', 'main').status).toBe(1);
    expect(say('sign', '-d', 'main', one.secret).stdout).toBe('Signatures deleted: 1\n');
    expect(say('sign', '--verify', 'main', one.public).status).toBe(1);
    expect(say('sign', '--verify', 'main', two.public).status).toBe(0);
    expect(say('sign', 'main', 'bm90IGEga2V5').status).toBe(1);
  });
});

function objectFile(at: string, extension: string, rev = 'main'): string {
  const commit = ostree(at, 'rev-parse', rev);
  return join(at, 'objects', commit.slice(0, 2), `${commit.slice(2)}.${extension}`);
}

/** The ed25519 signatures. They are not read out of what ostree prints: bytes that end in zero it prints as text. */
function signaturesOf(at: string, rev: string): readonly Uint8Array[] {
  expect(ostree(at, 'show', '--print-detached-metadata-key=ostree.sign.ed25519', rev)).toMatch(/^\[.*, .*\]$/s);
  return listSignatures(decodeDict(readFileSync(objectFile(at, 'commitmeta', rev))), 'ed25519');
}

function verifies(key: string, bytes: Buffer, signature: Uint8Array): boolean {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(key, 'base64')]);
  return verify(null, bytes, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature);
}
