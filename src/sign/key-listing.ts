/**
 * The text of `remote gpg-list-keys`: keys, user IDs, subkeys, and where updates of a key are published.
 *
 * The update URLs are those of the Web Key Directory: the local part of an address, lower-cased, SHA-1, in z-base-32.
 * Times are in UTC.
 *
 * Source: ostree-cli (`remote gpg-list-keys`); draft-koch-openpgp-webkey-service 3.1; RFC 6189 5.1.6 (z-base-32).
 */
import { createHash } from 'node:crypto';
import type { ListedKey, ListedUserId } from './openpgp.ts';
import { printSignatureTime } from './verdict.ts';

/** Prints keys as `ostree remote gpg-list-keys` does. */
export function printKeyListing(keys: readonly ListedKey[]): string {
  return keys.flatMap(keyLines).join('');
}

function keyLines(key: ListedKey): string[] {
  return [
    ...headLines('Key', key, ''),
    ...key.userIds.flatMap(userIdLines),
    ...key.subkeys.flatMap((subkey) => headLines('Subkey', subkey, '  ')),
  ];
}

function headLines(label: string, key: ListedKey, indent: string): string[] {
  const { fingerprint, isRevoked, isExpired, createdSec, expiresSec } = key;
  const lines = [
    `${indent}${label}: ${fingerprint}${isRevoked ? ' (revoked)' : ''}\n`,
    `${indent}  Created: ${printSignatureTime(createdSec)}\n`,
  ];
  if (expiresSec !== undefined)
    lines.push(`${indent}  ${isExpired ? 'Expired' : 'Expires'}: ${printSignatureTime(expiresSec)}\n`);
  return lines;
}

function userIdLines({ text, email, isRevoked }: ListedUserId): string[] {
  const urls = email === undefined ? undefined : keyUpdateUrls(email);
  return [
    `  UID: ${text}${isRevoked ? ' (revoked)' : ''}\n`,
    `  Advanced update URL: ${urls?.advanced ?? ''}\n`,
    `  Direct update URL: ${urls?.direct ?? ''}\n`,
  ];
}

/** Gives the two places in the Web Key Directory of an e-mail address; undefined when it is not one. */
export function keyUpdateUrls(email: string): { advanced: string; direct: string } | undefined {
  const at = email.lastIndexOf('@');
  if (at < 1) return undefined;
  const local = asciiLower(email.slice(0, at));
  const domain = asciiLower(email.slice(at + 1));
  const tail = `hu/${zBase32(createHash('sha1').update(local).digest())}?l=${escapeUri(local)}`;
  return {
    advanced: `https://openpgpkey.${domain}/.well-known/openpgpkey/${domain}/${tail}`,
    direct: `https://${domain}/.well-known/openpgpkey/${tail}`,
  };
}

const asciiLower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

const escapeUri = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const Z_BASE_32 = 'ybndrfg8ejkmcpqxot1uwisza345h769';

/** Encodes bytes in z-base-32, 5 bits a character, high bits first. */
export function zBase32(bytes: Uint8Array): string {
  let text = '';
  for (let bit = 0; bit < bytes.length * 8; bit += 5) {
    const at = bit >> 3;
    const pair = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    text += Z_BASE_32[(pair >> (11 - (bit & 7))) & 31];
  }
  return text;
}
