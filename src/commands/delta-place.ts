/** Which delta a command line means, and the keys to check it with. */
import { type DeltaTrust, type openDelta, parseSignType, readDeltaName } from '../remote/index.ts';

type Place = Parameters<typeof openDelta>[1];

/** A path from the root is a superblock of its own, anything else a delta of the repository. Errors: `usage`. */
export function deltaPlace(text: string): Place {
  return text.startsWith('/') ? { path: text } : readDeltaName(text);
}

export interface TrustInput {
  readonly keys: readonly string[];
  readonly signType: string | undefined;
  readonly keysFile: string | undefined;
  readonly keysDir: string | undefined;
}

/** The keys that a command names. Errors: `not-supported`. */
export function deltaTrust({ keys, signType, keysFile, keysDir }: TrustInput, env: NodeJS.ProcessEnv): DeltaTrust {
  return {
    type: parseSignType(signType),
    keys,
    files: keysFile === undefined ? [] : [keysFile],
    dirs: keysDir === undefined ? undefined : [keysDir],
    dummyEnabled: env.OSTREE_DUMMY_SIGN_ENABLED === '1',
  };
}
