/**
 * Reading and changing single keys of the repository's config file.
 *
 * A change that would make the repository unreadable is refused before anything is written; everything else in the
 * file stays as it is, comments included.
 *
 * Source: ostree-format 8.
 */
import { HacktreeError } from '../core/index.ts';
import { KeyFile } from '../format/index.ts';
import { interpretConfig, writeConfig } from './config.ts';
import { configFile } from './layout.ts';
import type { Repo } from './repo.ts';

export interface ConfigKey {
  readonly group: string;
  readonly key: string;
}

/** Parses `SECTION.KEY` at the first dot. Errors: `usage`. */
export function parseConfigKey(text: string): ConfigKey {
  const dot = text.indexOf('.');
  if (dot >= 0) return { group: text.slice(0, dot), key: text.slice(dot + 1) };
  throw new HacktreeError('usage', 'Key must be of the form "sectionname.keyname"', {
    details: { expected: 'SECTION.KEY', found: text },
  });
}

/** Reads a value, escapes resolved. Errors: `metadata-missing`. */
export function getConfigValue(repo: Repo, { group, key }: ConfigKey): string {
  const { keyFile } = repo.config;
  const value = keyFile.getString(group, key);
  if (value !== undefined) return value;
  const what = keyFile.hasGroup(group) ? `have key “${key}” in group “${group}”` : `have group “${group}”`;
  throw new HacktreeError('metadata-missing', `Key file does not ${what}`, {
    details: { path: configFile(repo.path), group, key },
  });
}

/** Sets a value, after escaping it. Errors: `usage` for a name that a key file cannot hold, `repo-config`. */
export function setConfigValue(repo: Repo, { group, key }: ConfigKey, value: string): void {
  const isName = group !== '' && !/[[\]\n\r]/.test(group) && key !== '' && !/[=\n\r[\]]/.test(key) && key.trim() === key;
  if (!isName)
    throw new HacktreeError('usage', `Invalid key '${key}' of section '${group}'`, { details: { found: `${group}.${key}` } });
  changeConfig(repo, (keyFile) => keyFile.setString(group, key, value));
}

/** Removes a key; a missing one is fine. Errors: `repo-config` when the repository cannot do without it. */
export function unsetConfigValue(repo: Repo, { group, key }: ConfigKey): void {
  changeConfig(repo, (keyFile) => void keyFile.unset(group, key));
}

function changeConfig(repo: Repo, change: (keyFile: KeyFile) => void): void {
  const path = configFile(repo.path);
  const changed = KeyFile.parse(repo.config.keyFile.print(), path);
  change(changed);
  interpretConfig(changed, path);
  writeConfig(repo.path, changed);
}
