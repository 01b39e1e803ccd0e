/** From options and the environment to the public keys that signatures are checked with. */
import type { DeltaTrust, GpgKeysPlace, TrustOptions } from '../remote/index.ts';
import { parseSignType } from '../sign/index.ts';
import type { Context } from './context.ts';
import { asList } from './input.ts';

export interface KeysInput {
  readonly keys: readonly string[];
  readonly signType: string | undefined;
  readonly keysFile: string | undefined;
  readonly keysDir: string | undefined;
}

/** The keys that a command names. Errors: `not-supported`. */
export function keyTrust(context: Context, { keys, signType, keysFile, keysDir }: KeysInput): DeltaTrust {
  return {
    type: parseSignType(signType),
    keys,
    files: asList(keysFile),
    dirs: keysDir === undefined ? undefined : [keysDir],
    dummyEnabled: context.environment.dummyEnabled,
  };
}

export interface GpgChoice {
  /** Only this remote's keys. */
  readonly remote?: string | undefined;
  /** A GnuPG home directory. */
  readonly homedir?: string | undefined;
}

/** Where GPG keys are looked for: OSTREE_GPG_HOME stands in for the system's directory. */
export function gpgKeysPlace({ environment: { gpgHome } }: Context, { remote, homedir }: GpgChoice): GpgKeysPlace {
  return { remote, homedir, systemDirs: gpgHome === undefined ? undefined : [gpgHome] };
}

/** Where keys are looked for beyond those of the remote. */
export function trustOf({ environment: { gpgHome, dummyEnabled } }: Context): TrustOptions {
  return { dummyEnabled, ...(gpgHome === undefined ? {} : { gpgKeyringDirs: [gpgHome] }) };
}
