/**
 * Signing with GnuPG: its agent holds the secret keys, so the program itself is run.
 *
 * How a program is run is the caller's: this folder knows no processes. `runProgram` of sys has the right shape.
 *
 * Source: gpg(1) (`--detach-sign`, `--local-user`, `--status-fd`).
 */
import { HacktreeError } from '../core/index.ts';

export interface ProgramResult {
  /** Exit status; undefined when ended by a signal or not started. */
  readonly status: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Runs a program with arguments and bytes on its standard input. Rejects when the program does not exist. */
export type RunProgram = (program: string, args: readonly string[], input: Uint8Array) => Promise<ProgramResult>;

export interface GpgSignOptions {
  /** Key ID, fingerprint or other name of a key that gpg(1) accepts. */
  readonly keyId: string;
  /** Home directory of GnuPG. Default: its own. */
  readonly homedir?: string;
}

/**
 * Makes a binary detached signature over bytes.
 * Errors: `key-invalid` when GnuPG has no such secret key or refuses to use it; what `run` rejects with.
 */
export async function signGpg(run: RunProgram, signed: Uint8Array, options: GpgSignOptions): Promise<Buffer> {
  const { keyId, homedir } = options;
  const home = homedir === undefined ? [] : [`--homedir=${homedir}`];
  const args = [...home, '--batch', '--quiet', '--no-armor', `--local-user=${keyId}`, '--output=-', '--detach-sign', '-'];
  const { status, stdout, stderr } = await run('gpg', args, signed);
  if (status === 0 && stdout.length > 0) return stdout;
  const said = stderr.toString('utf8').trim();
  const where = homedir ?? '<default>';
  const isUnknown = /No secret key|Not found|No such file/.test(said);
  const what = isUnknown ? `No gpg key found with ID ${keyId}` : `GnuPG cannot sign with key ${keyId}`;
  throw new HacktreeError('key-invalid', `${what} (homedir: ${where})`, {
    details: { keyId, homedir: where, status: status ?? 'signal', said },
    hints: said === '' ? [] : said.split('\n').map((line) => line.replace(/^gpg: /, 'gpg says: ')),
  });
}
