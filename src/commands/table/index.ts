/**
 * The command table: all commands of both front ends, one file per area, in the order of the help.
 *
 * To add a command: describe it in its area's file, write `run/ID.ts`, and name that file in loaders.ts.
 */
import type { CommandSpec } from '../spec.ts';
import { COLLECTION_COMMANDS } from './collections.ts';
import { CONTENT_COMMANDS } from './content.ts';
import { DELTA_COMMANDS } from './deltas.ts';
import { DEPLOY_COMMANDS } from './deploy.ts';
import { ETC_COMMANDS } from './etc.ts';
import { HISTORY_COMMANDS } from './history.ts';
import { MIRROR_COMMANDS } from './mirrors.ts';
import { REMOTE_COMMANDS } from './remotes.ts';
import { REPOSITORY_COMMANDS } from './repository.ts';
import { SIGNING_COMMANDS } from './signing.ts';
import { TOOL_COMMANDS } from './tool.ts';

const ALL = [
  ...REPOSITORY_COMMANDS,
  ...CONTENT_COMMANDS,
  ...HISTORY_COMMANDS,
  ...MIRROR_COMMANDS,
  ...REMOTE_COMMANDS,
  ...SIGNING_COMMANDS,
  ...DELTA_COMMANDS,
  ...COLLECTION_COMMANDS,
  ...DEPLOY_COMMANDS,
  ...ETC_COMMANDS,
  ...TOOL_COMMANDS,
] as const;

/** Descriptions with their literal types. */
export type KnownSpec = (typeof ALL)[number];

export const COMMANDS: readonly CommandSpec[] = ALL;
