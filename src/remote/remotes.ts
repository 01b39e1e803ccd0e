/**
 * Remotes: their groups in the repository's config file, and in files of a remotes.d directory.
 *
 * `[remote "NAME"]` in `config` is what `remote add` writes; files `*.conf` of directories that the caller names are read
 * besides and never written. Unknown keys are kept.
 *
 * Source: ostree-format 8; ostree-cli A.1 (`remote`).
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { checkCollectionId, checkRemoteName, compareUtf8, HacktreeError } from '../core/index.ts';
import { KeyFile } from '../format/index.ts';
import { configFile, interpretConfig, type Repo, writeConfig } from '../repo/index.ts';
import { parseSignType, type SignType } from '../sign/index.ts';
import { removeFileDurable } from '../sys/index.ts';

/** false: not asked for; `all`: any supported kind; else the kinds that are asked for, each of which must be good. */
export type SignVerify = false | 'all' | readonly string[];

export interface RemoteConfig {
  readonly name: string;
  /** As written: perhaps with the prefix `mirrorlist=`. */
  readonly url: string | undefined;
  readonly metalink: string | undefined;
  readonly contentUrl: string | undefined;
  readonly branches: readonly string[];
  readonly gpgVerify: boolean;
  readonly gpgVerifySummary: boolean;
  readonly gpgKeyPaths: readonly string[];
  readonly signVerify: SignVerify;
  readonly signVerifySummary: SignVerify;
  readonly signVerifyDeltas: boolean;
  readonly tlsPermissive: boolean;
  readonly tlsClientCertPath: string | undefined;
  readonly tlsClientKeyPath: string | undefined;
  readonly tlsCaPath: string | undefined;
  readonly proxy: string | undefined;
  readonly http2: boolean;
  readonly collectionId: string | undefined;
  /** Why this remote must not be used, in the administrator's words. */
  readonly unconfiguredState: string | undefined;
  readonly customBackend: string | undefined;
  /** Any other key, for example `verification-ed25519-key`. */
  readonly get: (key: string) => string | undefined;
}

export interface RemotesPlace {
  /** Directories of `*.conf` files, for example `/etc/ostree/remotes.d`. */
  readonly configDirs?: readonly string[];
}

const groupOf = (name: string): string => `remote "${name}"`;
const GROUP = /^remote "(.+)"$/;

/** File of a remote's GPG keys. */
export const keyringFile = (repo: Repo, remote: string): string => join(repo.path, `${remote}.trustedkeys.gpg`);
/** File of a remote's cookies. */
export const cookieFile = (repo: Repo, remote: string): string => join(repo.path, `${remote}.cookies.txt`);

function keyFilesOf(repo: Repo, place: RemotesPlace): KeyFile[] {
  const files = [repo.config.keyFile];
  for (const dir of place.configDirs ?? []) {
    const names = fs.existsSync(dir) ? fs.readdirSync(dir).filter((name) => name.endsWith('.conf')) : [];
    for (const name of names.sort()) files.push(KeyFile.parse(fs.readFileSync(join(dir, name), 'utf8'), join(dir, name)));
  }
  return files;
}

function findKeyFile(repo: Repo, name: string, place: RemotesPlace): KeyFile | undefined {
  return keyFilesOf(repo, place).find((file) => file.hasGroup(groupOf(name)));
}

/** Lists the names of all remotes, sorted. */
export function listRemotes(repo: Repo, place: RemotesPlace = {}): string[] {
  const names = keyFilesOf(repo, place).flatMap((file) => file.groups().flatMap((group) => GROUP.exec(group)?.[1] ?? []));
  return [...new Set(names)].sort(compareUtf8);
}

/** Error for a remote that is not there. */
export function remoteNotFound(name: string): HacktreeError {
  return new HacktreeError('remote-not-found', `Remote "${name}" not found`, {
    details: { found: name },
    hints: ['hacktree remote list shows what is configured'],
  });
}

/** Reads a remote's configuration. Errors: `remote-not-found`, `repo-config`. */
export function loadRemote(repo: Repo, name: string, place: RemotesPlace = {}): RemoteConfig {
  const file = findKeyFile(repo, name, place);
  if (file === undefined) throw remoteNotFound(name);
  return interpretRemote(file, name);
}

/** A remote that exists only for one pull: `pull-local`, or a bare URL. */
export function temporaryRemote(name: string, url: string, values: Readonly<Record<string, string>> = {}): RemoteConfig {
  const file = new KeyFile();
  file.setString(groupOf(name), 'url', url);
  for (const [key, value] of Object.entries(values)) file.set(groupOf(name), key, value);
  return interpretRemote(file, name);
}

function interpretRemote(file: KeyFile, name: string): RemoteConfig {
  const group = groupOf(name);
  const text = (key: string): string | undefined => file.getString(group, key);
  const flag = (key: string, fallback: boolean): boolean => file.getBoolean(group, key) ?? fallback;
  return {
    name,
    url: text('url'),
    metalink: text('metalink'),
    contentUrl: text('contenturl'),
    branches: file.getList(group, 'branches') ?? [],
    gpgVerify: flag('gpg-verify', true),
    gpgVerifySummary: flag('gpg-verify-summary', false),
    gpgKeyPaths: file.getList(group, 'gpgkeypath') ?? [],
    signVerify: signVerifyOf(file, group, 'sign-verify'),
    signVerifySummary: signVerifyOf(file, group, 'sign-verify-summary'),
    signVerifyDeltas: flag('sign-verify-deltas', false),
    tlsPermissive: flag('tls-permissive', false),
    tlsClientCertPath: text('tls-client-cert-path'),
    tlsClientKeyPath: text('tls-client-key-path'),
    tlsCaPath: text('tls-ca-path'),
    proxy: text('proxy'),
    http2: flag('http2', false),
    collectionId: text('collection-id'),
    unconfiguredState: text('unconfigured-state'),
    customBackend: text('custom-backend'),
    get: text,
  };
}

function signVerifyOf(file: KeyFile, group: string, key: string): SignVerify {
  const raw = file.get(group, key)?.trim();
  if (raw === undefined || raw === 'false' || raw === '0') return false;
  if (raw === 'true' || raw === '1') return 'all';
  return file.getList(group, key) ?? [];
}

/** The URL of a remote. Errors: `remote-not-found`, `remote-config` (it has none). */
export function remoteUrl(repo: Repo, name: string, place: RemotesPlace = {}): string {
  const { url } = loadRemote(repo, name, place);
  if (url !== undefined) return url;
  throw new HacktreeError('remote-config', `No "url" option in remote "${name}"`, { details: { found: name } });
}

/** One `--sign-verify=TYPE=inline:KEY` or `TYPE=file:PATH`. */
export interface SignVerifyKey {
  readonly type: SignType;
  readonly inline?: string;
  readonly file?: string;
}

/** Parses `TYPE=inline:KEY` or `TYPE=file:PATH`. Errors: `usage`, `not-supported`. */
export function parseSignVerifyKey(text: string): SignVerifyKey {
  const match = /^([^=]+)=([^:]*):(.*)$/s.exec(text);
  if (match === null) {
    throw new HacktreeError('usage', `Failed to parse KEYTYPE=[inline|file]:DATA in ${text}`, {
      details: { expected: 'TYPE=inline:KEY or TYPE=file:PATH', found: text },
    });
  }
  const [, name = '', kind = '', value = ''] = match;
  const type = parseSignType(name);
  if (kind === 'inline') return { type, inline: value };
  if (kind === 'file') return { type, file: value };
  throw new HacktreeError('usage', `Invalid key reference ${kind}, expected inline|file`, { details: { found: text } });
}

export interface AddRemoteOptions {
  readonly name: string;
  /** `URL`, `metalink=URL` or `mirrorlist=URL`; may be missing with customBackend. */
  readonly url?: string | undefined;
  readonly branches?: readonly string[];
  readonly set?: readonly (readonly [string, string])[];
  readonly noGpgVerify?: boolean;
  readonly noSignVerify?: boolean;
  readonly signVerify?: readonly SignVerifyKey[];
  readonly ifNotExists?: boolean;
  readonly force?: boolean;
  readonly customBackend?: string | undefined;
  readonly contentUrl?: string | undefined;
  readonly collectionId?: string | undefined;
  readonly place?: RemotesPlace;
}

/**
 * Adds a remote; returns false when it was there and `ifNotExists` says to leave it.
 * Errors: `remote-exists`, `ref-invalid`, `remote-config`, `usage` (ifNotExists together with force).
 */
export function addRemote(repo: Repo, options: AddRemoteOptions): boolean {
  const { name } = options;
  checkRemoteName(name);
  if (options.collectionId !== undefined) checkCollectionId(options.collectionId);
  if (options.ifNotExists === true && options.force === true) {
    throw new HacktreeError('usage', 'Can only specify one of --if-not-exists and --force');
  }
  const exists = findKeyFile(repo, name, options.place ?? {}) !== undefined;
  if (exists && options.ifNotExists === true) return false;
  if (exists && options.force !== true) {
    throw new HacktreeError('remote-exists', `Remote configuration for "${name}" already exists: (in config)`, {
      details: { path: configFile(repo.path), found: name },
      hints: ['--if-not-exists leaves it, --force replaces it'],
    });
  }
  changeConfig(repo, (file) => {
    file.removeGroup(groupOf(name));
    for (const [key, value] of valuesOf(options)) file.set(groupOf(name), key, value);
  });
  return true;
}

function valuesOf(options: AddRemoteOptions): [string, string][] {
  const { url, branches = [] } = options;
  const values: [string, string][] = [];
  if (url !== undefined) values.push(url.startsWith('metalink=') ? ['metalink', url.slice('metalink='.length)] : ['url', url]);
  if (branches.length > 0) values.push(['branches', branches.map((branch) => `${branch};`).join('')]);
  if (options.contentUrl !== undefined) values.push(['contenturl', options.contentUrl]);
  if (options.customBackend !== undefined) values.push(['custom-backend', options.customBackend]);
  values.push(...(options.set ?? []).map(([key, value]): [string, string] => [key, value]));
  if (options.noGpgVerify === true || options.noSignVerify === true) values.push(['gpg-verify', 'false']);
  if (options.noSignVerify === true) values.push(['sign-verify', 'false']);
  const keys = options.signVerify ?? [];
  for (const { type, inline, file } of keys) {
    values.push(inline === undefined ? [`verification-${type}-file`, file ?? ''] : [`verification-${type}-key`, inline]);
  }
  if (keys.length > 0) values.push(['sign-verify', [...new Set(keys.map(({ type }) => type))].join(';')]);
  if (options.collectionId !== undefined) values.push(['collection-id', options.collectionId]);
  return values;
}

/** Deletes a remote and its keyring; returns false when it was not there and `ifExists` allows that. Errors: `remote-not-found`. */
export function deleteRemote(repo: Repo, name: string, options: { ifExists?: boolean } = {}): boolean {
  if (!repo.config.keyFile.hasGroup(groupOf(name))) {
    if (options.ifExists === true) return false;
    throw remoteNotFound(name);
  }
  changeConfig(repo, (file) => void file.removeGroup(groupOf(name)));
  removeFileDurable(keyringFile(repo, name));
  return true;
}

function changeConfig(repo: Repo, change: (file: KeyFile) => void): void {
  const path = configFile(repo.path);
  const changed = KeyFile.parse(fs.readFileSync(path, 'utf8'), path);
  change(changed);
  interpretConfig(changed, path);
  writeConfig(repo.path, changed);
}
