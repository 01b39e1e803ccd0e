/** `remote add`: configures a remote. */
import * as fs from 'node:fs';
import { resolve } from 'node:path';
import { wrapSystemError } from '../../core/index.ts';
import { addRemote, importRemoteKeys, parseSignVerifyKey } from '../../remote/index.ts';
import { openRepo } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { splitPair, usageError } from '../input.ts';
import { remotesPlaceOf } from '../network.ts';
import type { Input } from '../spec.ts';
import type { remoteAdd } from '../table/remotes.ts';

type AddInput = Input<typeof remoteAdd>;

export async function run(context: Context, input: AddInput): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const place = remotesPlaceOf(repo.path);
  checkOptions(input);
  const signVerify = input.signVerify.map(parseSignVerifyKey);
  const keyring = input.gpgImport === undefined ? undefined : readKeys(input.gpgImport);
  const isAdded = addRemote(repo, {
    name: input.name,
    url: input.url,
    branches: input.branches,
    set: input.set.map((text) => splitPair(text, "Missing '=' in KEY=VALUE for --set")),
    noGpgVerify: input.noGpgVerify,
    noSignVerify: input.noSignVerify,
    signVerify,
    ifNotExists: input.ifNotExists,
    force: input.force,
    customBackend: input.customBackend,
    contentUrl: input.contenturl,
    collectionId: input.collectionId,
    place,
  });
  if (isAdded && keyring !== undefined) {
    const imported = importRemoteKeys(openRepo(repo.path), input.name, [keyring], { place });
    context.line(`Imported ${imported} GPG key${imported === 1 ? '' : 's'} to remote "${input.name}"`);
  }
  return { name: input.name, isAdded };
}

function checkOptions(input: AddInput): void {
  if (input.url === undefined && input.customBackend === undefined) throw usageError('NAME and URL must be specified');
  if (input.ifNotExists && input.force) throw usageError('Can only specify one of --if-not-exists and --force');
  if (input.signVerify.length > 0 && input.noSignVerify)
    throw usageError('Cannot specify both --sign-verify and --no-sign-verify');
}

function readKeys(path: string): Buffer {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    throw wrapSystemError(error, 'Error opening file', resolve(path));
  }
}
