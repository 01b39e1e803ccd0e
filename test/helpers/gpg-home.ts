/** A GnuPG home directory of its own, with quickly made keys and a clock that can be set. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

export interface GpgHome {
  readonly dir: string;
  /** Runs gpg and returns its standard output. */
  gpg(args: readonly string[], input?: Uint8Array | string): Buffer;
  /** Makes a key (`gpg --quick-gen-key` arguments after the user ID) and returns its fingerprint. */
  makeKey(userId: string, ...settings: string[]): string;
  /** Stops the agent and removes the directory. */
  remove(): void;
}

/** Makes the directory; its name is short, because a socket lives in it. */
export function makeGpgHome(): GpgHome {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hg-'));
  const run = (program: string, args: readonly string[], input: Uint8Array | string = ''): Buffer =>
    execFileSync(program, ['--homedir', dir, ...args], { input, stdio: ['pipe', 'pipe', 'pipe'] });
  const gpg = (args: readonly string[], input?: Uint8Array | string): Buffer =>
    run('gpg', ['--batch', '--quiet', '--yes', '--no-permission-warning', '--passphrase', '', ...args], input);
  return {
    dir,
    gpg,
    makeKey(userId, ...settings) {
      const clock = settings.filter((setting) => setting.startsWith('--'));
      gpg([...clock, '--quick-gen-key', userId, ...settings.filter((setting) => !setting.startsWith('--'))]);
      return fingerprintOf(gpg, userId);
    },
    remove() {
      run('gpgconf', ['--kill', 'gpg-agent']);
      fs.rmSync(dir, { recursive: true, force: true });
    },
  };
}

function fingerprintOf(gpg: GpgHome['gpg'], userId: string): string {
  const listing = gpg(['--with-colons', '--list-keys', `=${userId}`]).toString();
  const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(listing)?.[1];
  if (fingerprint === undefined) throw new Error(`gpg made no key for ${userId}`);
  return fingerprint;
}
