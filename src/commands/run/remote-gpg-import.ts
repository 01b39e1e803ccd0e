/** `remote gpg-import`: adds public keys to those that a remote trusts. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { HacktreeError, isHacktreeError, wrapSystemError } from '../../core/index.ts';
import { importRemoteKeys, loadRemote } from '../../remote/index.ts';
import { openRepo, type Repo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import { remotesPlaceOf } from '../network.ts';
import type { Input } from '../spec.ts';
import type { remoteGpgImport } from '../table/remotes.ts';

type ImportInput = Input<typeof remoteGpgImport>;

export async function run(context: Context, input: ImportInput): Promise<unknown> {
  if (input.stdin && input.keyring.length > 0) throw usageError('--keyring and --stdin are mutually exclusive');
  const repo = openRepo(context.repoPath);
  const imported = importAll(context, repo, input);
  context.line(`Imported ${imported} GPG key${imported === 1 ? '' : 's'} to remote "${input.name}"`);
  return { name: input.name, imported };
}

/** ostree says that it was about GPG. */
function importAll(context: Context, repo: Repo, input: ImportInput): number {
  try {
    const keyIds = input.keys.length === 0 ? {} : { keyIds: input.keys };
    const place = remotesPlaceOf(repo.path);
    loadRemote(repo, input.name, place);
    return importRemoteKeys(repo, input.name, readKeyrings(input), { ...keyIds, place });
  } catch (error) {
    if (context.frontEnd !== 'ostree' || !isHacktreeError(error)) throw error;
    throw new HacktreeError(error.code, `GPG: ${error.message}`, { details: error.details, cause: error });
  }
}

function readKeyrings({ keyring, stdin, keys }: ImportInput): Buffer[] {
  if (stdin) return [readAll(0, 'standard input')];
  return keyring.length === 0 ? [exportOwnKeys(keys)] : keyring.map((path) => readAll(path, path));
}

function readAll(file: string | number, name: string): Buffer {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    throw wrapSystemError(error, 'Reading', name);
  }
}

/** Asks GnuPG for keys of the user's keyring. Errors: `not-supported` (no GnuPG), `key-invalid` (no such key). */
function exportOwnKeys(keys: readonly string[]): Buffer {
  const { stdout, error } = spawnSync('gpg', ['--batch', '--quiet', '--export', ...keys], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (error !== undefined) {
    throw new HacktreeError('not-supported', `Cannot run gpg: ${error.message}`, {
      hints: ['Name a file of keys with --keyring.'],
      cause: error,
    });
  }
  if (stdout.length > 0) return stdout;
  const what = keys[0] === undefined ? 'Unable to export keys' : `Unable to find key "${keys[0]}"`;
  throw new HacktreeError('key-invalid', `${what}: GPGME: No data`, {
    hints: ["The user's keyring has no such keys; name a file of keys with --keyring."],
  });
}
