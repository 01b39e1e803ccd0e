/** `config`: reads or changes one key of the repository's configuration. */
import { type ConfigKey, getConfigValue, openRepo, parseConfigKey, setConfigValue, unsetConfigValue } from '../../repo/index.ts';
import type { Context } from '../context.ts';
import { usageError } from '../input.ts';
import type { Input } from '../spec.ts';
import { didYouMean } from '../suggest.ts';
import type { config } from '../table/repository.ts';

type ConfigInput = Input<typeof config>;

const OPERATIONS: Readonly<Record<string, number>> = { get: 1, set: 2, unset: 1 };

export async function run(context: Context, input: ConfigInput): Promise<unknown> {
  const repo = openRepo(context.repoPath);
  const { key, value } = readRequest(input);
  if (input.operation === 'set') setConfigValue(repo, key, value ?? '');
  else if (input.operation === 'unset') unsetConfigValue(repo, key);
  else {
    const found = getConfigValue(repo, key);
    context.line(found);
    return { ...key, value: found };
  }
  return key;
}

/** Checks the operation and its number of arguments. Errors: `usage`. */
function readRequest({ operation, key, value, group }: ConfigInput): { key: ConfigKey; value: string | undefined } {
  const wanted = OPERATIONS[operation];
  if (wanted === undefined) throw usageError(`Unknown operation ${operation}`, didYouMean(operation, Object.keys(OPERATIONS)));
  const given = [key, value].filter((arg) => arg !== undefined);
  if (given.length > wanted) throw usageError('Too many arguments given');
  if (key === undefined || given.length < wanted) throw usageError(missingText(operation, group !== undefined));
  return { key: group === undefined ? parseConfigKey(key) : { group, key }, value };
}

function missingText(operation: string, hasGroup: boolean): string {
  if (operation === 'set') return hasGroup ? 'GROUP name, KEY and VALUE must be specified' : 'KEY and VALUE must be specified';
  return hasGroup ? 'Group name and key must be specified' : 'KEY must be specified';
}
