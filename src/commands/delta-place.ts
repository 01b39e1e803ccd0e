/** Which delta a command line means. */
import { type openDelta, readDeltaName } from '../remote/index.ts';

type Place = Parameters<typeof openDelta>[1];

/** A path from the root is a superblock of its own, anything else a delta of the repository. Errors: `usage`. */
export function deltaPlace(text: string): Place {
  return text.startsWith('/') ? { path: text } : readDeltaName(text);
}
