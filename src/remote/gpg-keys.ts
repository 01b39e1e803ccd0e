/**
 * GPG public keys from where a repository and its system keep them.
 *
 * A remote's keys: its own keyring and the files and directories of `gpgkeypath`; where it has neither, the system's.
 *
 * Source: ostree-format 6.1 (`<remote>.trustedkeys.gpg`), 8 (`gpgkeypath`).
 */
import * as fs from 'node:fs';
import { HacktreeError } from '../core/index.ts';
import type { Repo } from '../repo/index.ts';
import { type KeyBlock, readKeyring } from '../sign/index.ts';
import { keyringFile, listRemotes, loadRemote, type RemoteConfig, type RemotesPlace } from './remotes.ts';
import { filesIn, readKeyFile } from './sign-keys.ts';

const SYSTEM_KEYRING_DIRS = ['/usr/share/ostree/trusted.gpg.d'];

/** Reads the keys that a remote trusts. Errors: `key-invalid`, `path-not-found`. */
export function remoteGpgKeys(repo: Repo, remote: RemoteConfig, systemDirs?: readonly string[]): KeyBlock[] {
  const paths = ownKeyPaths(repo, remote);
  return paths.length > 0 ? readAll(paths) : systemGpgKeys(systemDirs);
}

/** Reads the system's keys. Errors: `key-invalid`. */
export function systemGpgKeys(dirs: readonly string[] = SYSTEM_KEYRING_DIRS): KeyBlock[] {
  return readAll(dirs.flatMap(keyringsIn));
}

/** Reads the keys of all remotes and of the system. Errors: `key-invalid`, `path-not-found`. */
export function allGpgKeys(repo: Repo, systemDirs?: readonly string[], place: RemotesPlace = {}): KeyBlock[] {
  const remotes = listRemotes(repo, place).map((name) => loadRemote(repo, name, place));
  return [...readAll(remotes.flatMap((remote) => ownKeyPaths(repo, remote))), ...systemGpgKeys(systemDirs)];
}

/**
 * Reads the public keys of a GnuPG home directory: its keyrings and, unless told otherwise, its keybox.
 * Errors: `path-not-found`, `key-invalid`.
 */
export function homeGpgKeys(dir: string, { keybox = true }: { keybox?: boolean } = {}): KeyBlock[] {
  if (!fs.existsSync(dir)) {
    throw new HacktreeError('path-not-found', `Reading ${dir}: No such file or directory`, { details: { path: dir } });
  }
  const isRing = (path: string): boolean => path.endsWith('.gpg') && !/\/(secring|trustdb)\.gpg$/.test(path);
  return readAll(filesIn(dir).filter((path) => isRing(path) || (keybox && path.endsWith('.kbx'))));
}

const readAll = (paths: readonly string[]): KeyBlock[] => paths.flatMap((path) => readKeyring(readKeyFile(path)));

function ownKeyPaths(repo: Repo, { name, gpgKeyPaths }: RemoteConfig): string[] {
  const own = keyringFile(repo, name);
  return [...(fs.existsSync(own) ? [own] : []), ...gpgKeyPaths.flatMap(filesAt)];
}

function filesAt(path: string): string[] {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? keyringsIn(path) : [path];
}

const keyringsIn = (dir: string): string[] => filesIn(dir).filter((path) => /\.(gpg|asc|pgp|key|kbx)$/.test(path));
